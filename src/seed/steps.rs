//! From which sources the bytes of a partly changed blob come, in order.
//!
//! parts + where they are → steps, or nothing where it is cheaper to fetch the blob whole. Pure.

use std::ops::Range;

use super::chain::{self, Chain, Segment, is_padding};
use super::wanted::Part;

/// What a request costs beyond its bytes, in bytes: local pieces shorter than this are fetched with
/// their neighbours. A round trip of a few milliseconds is worth about so much; a version of which
/// 1 % changed moves hardly more.
const REQUEST: u64 = 64 * 1024;

/// The next bytes of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// They are on this machine.
    Local(Chain),
    /// A range to fetch, and what is known of it.
    Remote(Range<u64>, Vec<Part>),
}

/// A range of the blob before it is decided.
struct Piece {
    range: Range<u64>,
    /// Where it is, unless it has to be fetched.
    chain: Option<Chain>,
}

/// Plans a blob of `size` bytes with known parts; `chains` says where each part is.
pub(super) fn plan(size: u64, parts: &[Part], chains: &[Option<Chain>]) -> Option<Vec<Step>> {
    let mut pieces = pieces(size, parts, chains);
    give_up_short(&mut pieces);
    let merged = merge(pieces);
    let remote = merged.iter().filter(|piece| piece.chain.is_none());
    let (requests, missing) = remote.fold((0, 0), |(requests, missing), piece| {
        (requests + 1, missing + piece.range.end - piece.range.start)
    });
    let cost = missing + REQUEST * requests;
    if requests > 0 && cost >= size {
        return None;
    }
    let steps = merged.into_iter().map(|piece| match piece.chain {
        Some(chain) => Step::Local(chain),
        None => Step::Remote(piece.range.clone(), inside(parts, &piece.range)),
    });
    Some(steps.collect())
}

/// The parts, and what stands between them.
fn pieces(size: u64, parts: &[Part], chains: &[Option<Chain>]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    let mut at = 0;
    for (part, chain) in parts.iter().zip(chains) {
        let between = at..part.offset;
        let zeros = is_padding(between.start, between.end)
            .then(|| vec![Segment::Zeros(between.end - between.start)]);
        pieces.push(Piece {
            range: between,
            chain: zeros,
        });
        pieces.push(Piece {
            range: part.offset..part.end(),
            chain: chain.clone(),
        });
        at = part.end();
    }
    pieces.push(Piece {
        range: at..size,
        chain: None,
    });
    pieces.retain(|piece| !piece.range.is_empty());
    pieces
}

/// Lets short runs of local pieces between two ranges to fetch be fetched as well.
fn give_up_short(pieces: &mut [Piece]) {
    let remote: Vec<usize> = (0..pieces.len())
        .filter(|&index| pieces[index].chain.is_none())
        .collect();
    for pair in remote.windows(2) {
        let between = &mut pieces[pair[0]..=pair[1]];
        let local = between[between.len() - 1].range.start - between[0].range.end;
        if local <= REQUEST {
            between.iter_mut().for_each(|piece| piece.chain = None);
        }
    }
}

/// Makes one piece of neighbours of the same kind.
fn merge(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece.chain) {
            (Some(Piece { range, chain: None }), None) => range.end = piece.range.end,
            (
                Some(Piece {
                    range,
                    chain: Some(before),
                }),
                Some(chain),
            ) => {
                range.end = piece.range.end;
                before.extend(chain);
            }
            (_, chain) => merged.push(Piece {
                range: piece.range,
                chain,
            }),
        }
    }
    merged
}

fn inside(parts: &[Part], range: &Range<u64>) -> Vec<Part> {
    let inside = |part: &&Part| part.offset >= range.start && part.end() <= range.end;
    parts.iter().filter(inside).copied().collect()
}

/// The steps that give a range of the blob.
pub(super) fn clip(steps: Vec<Step>, wanted: &Range<u64>) -> Vec<Step> {
    let mut start = 0;
    let mut clipped = Vec::new();
    for step in steps {
        let length = match &step {
            Step::Local(chain) => chain.iter().map(Segment::length).sum(),
            Step::Remote(range, _) => range.end - range.start,
        };
        let (from, to) = (wanted.start.max(start), wanted.end.min(start + length));
        if from < to {
            clipped.push(match step {
                Step::Local(chain) => Step::Local(chain::slice(&chain, from - start..to - start)),
                Step::Remote(_, parts) => Step::Remote(from..to, inside(&parts, &(from..to))),
            });
        }
        start += length;
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    const MIB: u64 = 1024 * 1024;

    fn part(offset: u64, length: u64) -> Part {
        Part {
            offset,
            length,
            digest: Digest::sha256(b""),
        }
    }

    fn there(part: &Part) -> Option<Chain> {
        Some(vec![Segment::File {
            place: 0,
            offset: part.offset,
            length: part.length,
        }])
    }

    /// Parts side by side, with the ones that have to be fetched.
    fn planned(lengths: &[u64], missing: &[usize]) -> Option<Vec<Step>> {
        let mut at = 0;
        let parts: Vec<Part> = lengths
            .iter()
            .map(|length| {
                let part = part(at, *length);
                at += length;
                part
            })
            .collect();
        let chain = |(index, part)| (!missing.contains(&index)).then(|| there(part)).flatten();
        let chains: Vec<_> = parts.iter().enumerate().map(chain).collect();
        plan(at, &parts, &chains)
    }

    /// The first byte and the end of each range to fetch.
    fn remote(steps: &[Step]) -> Vec<(u64, u64)> {
        let remote = steps.iter().filter_map(|step| match step {
            Step::Local(_) => None,
            Step::Remote(range, _) => Some((range.start, range.end)),
        });
        remote.collect()
    }

    #[test]
    fn only_missing_parts_are_fetched_and_neighbours_in_one_request() {
        let steps = planned(&[MIB, 4096, 8192, 4096, MIB], &[1, 3]).unwrap();
        assert_eq!(remote(&steps), [(MIB, MIB + 16384)]);
        assert!(matches!(&steps[1], Step::Remote(_, parts) if parts.len() == 3));
        let steps = planned(&[4096, MIB, 4096], &[0, 2]).unwrap();
        assert_eq!(remote(&steps), [(0, 4096), (MIB + 4096, MIB + 8192)]);
        let steps = planned(&[MIB, MIB], &[]).unwrap();
        assert_eq!(remote(&steps), []);
        assert_eq!(steps.len(), 1);
    }

    #[test]
    fn blob_is_fetched_whole_where_ranges_save_nothing() {
        assert_eq!(planned(&[MIB, 4096], &[0]), None);
        assert_eq!(planned(&[4096, 4096, 4096], &[1]), None);
        // No part is known at all.
        assert_eq!(plan(MIB, &[], &[]), None);
    }

    #[test]
    fn padding_is_known_and_other_gaps_are_fetched() {
        let parts = [part(0, 100), part(4096, MIB), part(MIB + 8192, MIB)];
        let chains: Vec<_> = parts.iter().map(there).collect();
        let steps = plan(2 * MIB + 8192, &parts, &chains).unwrap();
        assert_eq!(remote(&steps), [(MIB + 4096, MIB + 8192)]);
        let Step::Local(first) = &steps[0] else {
            panic!("{steps:?}");
        };
        assert_eq!(first[1], Segment::Zeros(3996));
        // What follows the last tensor is no padding.
        let steps = plan(2 * MIB + 8193, &parts, &chains).unwrap();
        assert_eq!(remote(&steps)[1], (2 * MIB + 8192, 2 * MIB + 8193));
    }

    #[test]
    fn range_of_the_blob_takes_the_steps_inside_it() {
        let steps = planned(&[MIB, MIB, MIB], &[1]).unwrap();
        let clipped = clip(steps.clone(), &(MIB / 2..2 * MIB - 1));
        assert_eq!(remote(&clipped), [(MIB, 2 * MIB - 1)]);
        // The part is not whole any more: its digest says nothing.
        assert_eq!(clipped[1], Step::Remote(MIB..2 * MIB - 1, vec![]));
        assert!(matches!(&clipped[0], Step::Local(chain) if chain[0].length() == MIB / 2));
        assert_eq!(clip(steps.clone(), &(0..3 * MIB)), steps);
        assert_eq!(clip(steps, &(5..5)), []);
    }
}
