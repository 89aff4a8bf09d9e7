//! Ranges of a blob, hashed while its bytes pass by.

use crate::Result;
use crate::model::{ModelManifest, Sha256};
use crate::oci::{Algorithm, Hasher};
use crate::store::Consumer;

/// A range of a layer whose SHA-256 is known, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownRange {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) sha256: Sha256,
    pub(super) what: What,
}

/// What a range is: an index into the model manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Tensor(usize),
    File(usize),
}

/// Lists the known ranges of every layer of the model manifest, sorted by offset: tensors with a
/// SHA-256 of their own, and files that are one range but not the whole layer, whose digest the
/// rules of the manifest have compared already.
pub(super) fn known(model: &ModelManifest) -> Vec<Vec<KnownRange>> {
    let mut ranges = vec![Vec::new(); model.layers.len()];
    for (index, tensor) in model.tensors.iter().enumerate() {
        if let Some(sha256) = tensor.sha256
            && tensor.length > 0
        {
            ranges[tensor.layer as usize].push(KnownRange {
                offset: tensor.offset,
                length: tensor.length,
                sha256,
                what: What::Tensor(index),
            });
        }
    }
    for (index, file) in model.files.iter().enumerate() {
        if let ([extent], None) = (&file.extents[..], model.whole_layer(file)) {
            ranges[extent.layer as usize].push(KnownRange {
                offset: extent.offset,
                length: extent.length,
                sha256: file.sha256,
                what: What::File(index),
            });
        }
    }
    for ranges in &mut ranges {
        ranges.sort_by_key(|range| (range.offset, range.length));
    }
    ranges
}

/// Hashes the known ranges of one blob.
pub(super) struct RangeHasher {
    ranges: Vec<KnownRange>,
    /// Offset in the blob of the next byte.
    offset: u64,
    /// The first range that begins later.
    next: usize,
    /// Ranges that have begun and go on.
    begun: Vec<(KnownRange, Hasher)>,
    /// What has ended, and whether it has the SHA-256 that is known.
    ended: Vec<(What, bool)>,
}

impl RangeHasher {
    pub(super) fn new(ranges: Vec<KnownRange>) -> Self {
        Self {
            ranges,
            offset: 0,
            next: 0,
            begun: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Takes the next bytes of the blob.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let start = self.offset;
        let end = start + bytes.len() as u64;
        let ranges = self.ranges[self.next..].iter();
        for range in ranges.take_while(|range| range.offset < end) {
            self.begun.push((*range, Hasher::new(Algorithm::Sha256)));
            self.next += 1;
        }
        let ended = &mut self.ended;
        self.begun.retain_mut(|(range, hasher)| {
            let stop = range.offset + range.length;
            let (from, to) = (range.offset.max(start), stop.min(end));
            // Both are inside `bytes`.
            hasher.update(&bytes[(from - start) as usize..(to - start) as usize]);
            if stop <= end {
                let right = hasher.clone().finish() == range.sha256.digest();
                ended.push((range.what, right));
            }
            stop > end
        });
        self.offset = end;
    }

    /// What the ranges turned out to be, once the blob has ended.
    pub(super) fn finish(self) -> Vec<(What, bool)> {
        self.ended
    }
}

impl Consumer for RangeHasher {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        self.add(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn range(index: usize, content: &[u8], offset: usize, length: usize) -> KnownRange {
        let digest = Digest::sha256(&content[offset..offset + length]);
        KnownRange {
            offset: offset as u64,
            length: length as u64,
            sha256: digest.try_into().unwrap(),
            what: What::Tensor(index),
        }
    }

    #[test]
    fn ranges_are_hashed_wherever_the_pieces_end() {
        let content: Vec<u8> = (0..100).collect();
        let places = [(0, 100), (0, 1), (3, 40), (20, 60), (99, 1)];
        let ranges = places
            .iter()
            .enumerate()
            .map(|(index, (offset, length))| range(index, &content, *offset, *length));
        let mut ranges: Vec<KnownRange> = ranges.collect();
        ranges.sort_by_key(|range| range.offset);
        ranges[2].sha256 = Digest::sha256(b"another").try_into().unwrap();
        let wrong = ranges[2].what;
        for piece in 1..=100 {
            let mut hasher = RangeHasher::new(ranges.clone());
            content.chunks(piece).for_each(|bytes| hasher.add(bytes));
            let ended = hasher.finish();
            assert_eq!(ended.len(), places.len());
            assert!(ended.iter().all(|(what, right)| *right == (*what != wrong)));
        }
    }
}
