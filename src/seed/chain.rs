//! Where bytes are on this machine: ranges of files, and the zeros between tensors, in order.

use std::ops::Range;

use crate::model::SHARD_ALIGNMENT;

/// A piece of wanted content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    /// A range of a file.
    File {
        /// Index into the places of the seeds.
        place: usize,
        /// Offset in the file, in bytes.
        offset: u64,
        /// Length in bytes.
        length: u64,
    },
    /// So many zeros: what stands between tensors in a shard is in no file.
    Zeros(u64),
}

impl Segment {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::File { length, .. } | Self::Zeros(length) => *length,
        }
    }

    /// A part of it; the range is inside it.
    pub(super) fn slice(&self, range: Range<u64>) -> Self {
        let part = range.end - range.start;
        match *self {
            Self::Zeros(_) => Self::Zeros(part),
            Self::File { place, offset, .. } => Self::File {
                place,
                offset: offset + range.start,
                length: part,
            },
        }
    }
}

/// Segments that are some content when they are put one after the other.
pub(super) type Chain = Vec<Segment>;

/// The part of a chain that lies in a range of its content.
pub(super) fn slice(chain: &[Segment], range: Range<u64>) -> Chain {
    let mut start = 0;
    let mut found = Chain::new();
    for segment in chain {
        let end = start + segment.length();
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            found.push(segment.slice(from - start..to - start));
        }
        start = end;
    }
    found
}

/// Whether the bytes of a shard from one offset to another can only be what aligns a tensor.
pub(super) fn is_padding(from: u64, to: u64) -> bool {
    to.is_multiple_of(SHARD_ALIGNMENT) && to - from < SHARD_ALIGNMENT
}

/// A range of a layer, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Offset in the layer, in bytes.
    pub(super) start: u64,
    /// Where it is; never zeros.
    pub(super) segment: Segment,
}

/// What is known of one layer.
#[derive(Debug, Default)]
pub(super) struct Cover(Vec<Known>);

impl Cover {
    pub(super) fn new(mut known: Vec<Known>) -> Self {
        known.sort_by_key(|known| (known.start, known.segment.length()));
        Self(known)
    }

    /// Where a range of the layer is; nothing if a part of it is nowhere.
    pub(super) fn chain(&self, range: Range<u64>) -> Option<Chain> {
        let mut chain = Chain::new();
        let mut at = range.start;
        while at < range.end {
            let next = self.0.partition_point(|known| known.start <= at);
            let known = next.checked_sub(1).map(|last| self.0[last]);
            let covering = known.filter(|known| known.start + known.segment.length() > at);
            let segment = match covering {
                Some(Known { start, segment }) => {
                    let end = range.end.min(start + segment.length());
                    segment.slice(at - start..end - start)
                }
                None => {
                    let to = self.0.get(next)?.start;
                    if to > range.end || !is_padding(at, to) {
                        return None;
                    }
                    Segment::Zeros(to - at)
                }
            };
            at += segment.length();
            chain.push(segment);
        }
        Some(chain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(place: usize, offset: u64, length: u64) -> Segment {
        Segment::File {
            place,
            offset,
            length,
        }
    }

    #[test]
    fn cover_finds_ranges_across_pieces_and_padding() {
        let known = |start, segment| Known { start, segment };
        let cover = Cover::new(vec![
            known(8192, file(1, 0, 10)),
            known(0, file(0, 100, 5000)),
            known(5000, file(0, 9000, 100)),
        ]);
        assert_eq!(cover.chain(10..20), Some(vec![file(0, 110, 10)]));
        let across = [
            file(0, 5090, 10),
            file(0, 9000, 100),
            Segment::Zeros(3092),
            file(1, 0, 10),
        ];
        assert_eq!(cover.chain(4990..8202), Some(across.to_vec()));
        // Beyond the end, into a gap, and over one that aligns nothing.
        assert_eq!(cover.chain(8192..8203), None);
        assert_eq!(cover.chain(5050..5101), None);
        let odd = Cover::new(vec![known(0, file(0, 0, 1)), known(2, file(0, 2, 1))]);
        assert_eq!(odd.chain(0..3), None);
        assert_eq!(
            slice(&across, 5..111),
            [file(0, 5095, 5), file(0, 9000, 100), Segment::Zeros(1)]
        );
    }
}
