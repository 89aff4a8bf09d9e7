//! Where the bytes of a blob lie on disk while it is fetched, so that what is there can be read again.
//!
//! The pieces of a plan need not cover a blob (padding between tensors, the headers of a tar), and
//! they may overlap. Here they become pieces that hold every byte once, and copies. What no file
//! needs goes to a file of its own, the *rest*, which is not a part of the model.

use super::{Piece, PlannedBlob, PullPlan};

/// The most of one blob that is kept only to be read again, in bytes. A blob of which the model
/// needs so little is fetched as a whole or not at all.
const MAX_REST: u64 = 32 * 1024 * 1024;

/// Where the bytes of one blob go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spread {
    /// Hold each byte of the blob at most once, sorted by offset.
    pub(super) first: Vec<Piece>,
    /// Hold bytes that are in `first`, too, sorted by offset.
    pub(super) copies: Vec<Piece>,
    /// Whether `first` holds every byte.
    pub(super) is_whole: bool,
}

/// Spreads every blob of a plan. The rest has the index after the last file; its length is given,
/// too.
pub(super) fn spread(plan: &PullPlan) -> (Vec<Spread>, u64) {
    let mut rest = 0;
    let blobs = plan.blobs.iter();
    let spreads = blobs.map(|blob| Spread::new(blob, plan.files.len(), &mut rest));
    (spreads.collect(), rest)
}

impl Spread {
    fn new(blob: &PlannedBlob, rest_file: usize, rest: &mut u64) -> Self {
        let mut gaps = Vec::new();
        let mut spread = Self {
            first: Vec::new(),
            copies: Vec::new(),
            is_whole: true,
        };
        let mut covered = 0;
        for piece in &blob.pieces {
            if piece.offset > covered {
                gaps.push(covered..piece.offset);
                covered = piece.offset;
            }
            let (copy, first) = piece.split(covered - piece.offset);
            spread.copies.extend(copy);
            covered += first.map_or(0, |first| first.length);
            spread.first.extend(first);
        }
        if covered < blob.descriptor.size {
            gaps.push(covered..blob.descriptor.size);
        }
        let missing: u64 = gaps.iter().map(|gap| gap.end - gap.start).sum();
        spread.is_whole = missing <= MAX_REST;
        if spread.is_whole {
            for gap in gaps {
                let length = gap.end - gap.start;
                spread.first.push(Piece {
                    offset: gap.start,
                    length,
                    file: rest_file,
                    at: *rest,
                });
                *rest += length;
            }
            spread.first.sort();
        }
        spread
    }
}

impl Piece {
    /// The part of it that lies in a range of the blob.
    pub(super) fn within(&self, start: u64, end: u64) -> Option<Self> {
        let from = self.offset.max(start);
        let to = (self.offset + self.length).min(end);
        (from < to).then(|| Self {
            offset: from,
            length: to - from,
            file: self.file,
            at: self.at + (from - self.offset),
        })
    }

    /// Its first `length` bytes, and what follows them; nothing where that is empty.
    fn split(&self, length: u64) -> (Option<Self>, Option<Self>) {
        let at = self.offset.saturating_add(length);
        (self.within(0, at), self.within(at, u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Descriptor;

    fn blob(size: u64, pieces: &[(u64, u64)]) -> PlannedBlob {
        let mut descriptor = Descriptor::of("a/b", b"");
        descriptor.size = size;
        let pieces = pieces.iter().map(|&(offset, length)| Piece {
            offset,
            length,
            file: 0,
            at: 1000 + offset,
        });
        let pieces = pieces.collect();
        PlannedBlob { descriptor, pieces }
    }

    fn ranges(pieces: &[Piece]) -> Vec<(u64, u64, usize)> {
        pieces
            .iter()
            .map(|piece| (piece.offset, piece.length, piece.file))
            .collect()
    }

    #[test]
    fn pieces_and_gaps_hold_every_byte_once() {
        let mut rest = 7;
        let blob = blob(100, &[(10, 10), (12, 20), (15, 5), (32, 8), (50, 10)]);
        let spread = Spread::new(&blob, 1, &mut rest);
        let first = [
            (0, 10, 1),
            (10, 10, 0),
            (20, 12, 0),
            (32, 8, 0),
            (40, 10, 1),
            (50, 10, 0),
            (60, 40, 1),
        ];
        assert_eq!(ranges(&spread.first), first);
        assert_eq!(ranges(&spread.copies), [(12, 8, 0), (15, 5, 0)]);
        assert_eq!(spread.first[2].at, 1020);
        assert_eq!((spread.is_whole, rest), (true, 67));
        assert_eq!(spread.first[4].at, 17);
    }

    #[test]
    fn blob_of_which_little_is_needed_has_no_rest() {
        let mut rest = 0;
        let spread = Spread::new(&blob(u64::MAX / 2, &[(1, 1)]), 1, &mut rest);
        assert_eq!(ranges(&spread.first), [(1, 1, 0)]);
        assert_eq!((spread.is_whole, rest), (false, 0));
        let spread = Spread::new(&blob(0, &[]), 1, &mut rest);
        assert_eq!((spread.first.len(), spread.is_whole), (0, true));
    }
}
