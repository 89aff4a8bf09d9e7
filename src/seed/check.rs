//! Reads chains, and finds out which of them hold what is wanted. Everything here blocks.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::chain::{Chain, Segment};
use super::seeds::Seeds;
use super::wanted::Part;
use crate::oci::Hasher;

/// How much is read at once: what a store's consumers take at once, too.
pub(super) const BUFFER: usize = 256 * 1024;

/// Gives the bytes of a chain.
pub(super) struct ChainReader {
    seeds: Arc<Seeds>,
    left: VecDeque<Segment>,
    /// The place read last, so that a file stays the same while it is read.
    open: Option<(usize, File)>,
}

impl ChainReader {
    pub(super) fn new(seeds: Arc<Seeds>, chain: Chain) -> Self {
        Self {
            seeds,
            left: chain.into(),
            open: None,
        }
    }

    /// Whether all was read.
    pub(super) fn is_over(&self) -> bool {
        self.left.is_empty()
    }

    /// Fills a buffer with the next bytes; less is read only at the end of the chain. A file that
    /// has become shorter is an error.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len()
            && let Some(segment) = self.left.front().copied()
        {
            let left = usize::try_from(segment.length()).unwrap_or(usize::MAX);
            let length = left.min(buffer.len() - filled);
            let piece = &mut buffer[filled..filled + length];
            match segment {
                Segment::Zeros(_) => piece.fill(0),
                Segment::File { place, offset, .. } => {
                    self.file(place)?.read_exact_at(piece, offset)?;
                }
            }
            filled += length;
            match length as u64 == segment.length() {
                true => drop(self.left.pop_front()),
                false => self.left[0] = segment.slice(length as u64..segment.length()),
            }
        }
        Ok(filled)
    }

    fn file(&mut self, place: usize) -> io::Result<&File> {
        let file = match self.open.take() {
            Some((open, file)) if open == place => file,
            _ => self.seeds.place(place).open()?,
        };
        Ok(&self.open.insert((place, file)).1)
    }
}

/// For each part the first chain that holds it, if there is one.
pub(super) fn verified(seeds: &Arc<Seeds>, parts: &[Part]) -> Vec<Option<Chain>> {
    let mut buffer = vec![0; BUFFER];
    let found = parts.iter().map(|part| {
        let mut chains = seeds.found(&part.key()).iter();
        let right = chains.find(|chain| is_right(seeds, part, (*chain).clone(), &mut buffer));
        right.cloned()
    });
    found.collect()
}

fn is_right(seeds: &Arc<Seeds>, part: &Part, chain: Chain, buffer: &mut [u8]) -> bool {
    let mut reader = ChainReader::new(Arc::clone(seeds), chain);
    let mut hasher = Hasher::new(part.digest.algorithm());
    while !reader.is_over() {
        match reader.read(buffer) {
            Ok(count) => hasher.update(&buffer[..count]),
            // What cannot be read is no seed.
            Err(_) => return false,
        }
    }
    hasher.finish() == part.digest
}

/// Checks the known parts of a range while its bytes pass by.
pub(super) struct PartCheck {
    /// Offset in the blob of the next byte.
    at: u64,
    left: VecDeque<Part>,
    hasher: Option<Hasher>,
}

/// A part that was fetched and is another one.
#[derive(Debug)]
pub(super) struct WrongPart {
    pub(super) expected: Part,
    pub(super) got: crate::oci::Digest,
}

impl PartCheck {
    pub(super) fn new(start: u64, parts: Vec<Part>) -> Self {
        Self {
            at: start,
            left: parts.into(),
            hasher: None,
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), WrongPart> {
        let (start, end) = (self.at, self.at + bytes.len() as u64);
        self.at = end;
        while let Some(part) = self.left.front().copied() {
            let (from, to) = (part.offset.max(start), part.end().min(end));
            if from >= to {
                return Ok(());
            }
            let algorithm = part.digest.algorithm();
            let hasher = self.hasher.get_or_insert_with(|| Hasher::new(algorithm));
            // Both are inside `bytes`.
            hasher.update(&bytes[(from - start) as usize..(to - start) as usize]);
            if part.end() > end {
                return Ok(());
            }
            self.left.pop_front();
            let got = self.hasher.take().map(Hasher::finish);
            if let Some(got) = got.filter(|got| *got != part.digest) {
                return Err(WrongPart {
                    expected: part,
                    got,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn parts_are_checked_wherever_the_pieces_end() {
        let content: Vec<u8> = (0..100).collect();
        let part = |offset: usize, length: usize| Part {
            offset: 1000 + offset as u64,
            length: length as u64,
            digest: Digest::sha256(&content[offset..offset + length]),
        };
        let right = vec![part(0, 1), part(1, 40), part(60, 39)];
        let mut wrong = right.clone();
        wrong[2].digest = Digest::sha256(b"another");
        for piece in 1..=100 {
            let check = |parts: &Vec<Part>| {
                let mut check = PartCheck::new(1000, parts.clone());
                content.chunks(piece).try_for_each(|bytes| check.add(bytes))
            };
            assert!(check(&right).is_ok());
            assert_eq!(check(&wrong).unwrap_err().expected, wrong[2]);
        }
    }
}
