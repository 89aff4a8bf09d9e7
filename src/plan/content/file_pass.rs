//! A file and ranges of it, hashed while the file is read once.
//!
//! Where the processor hashes two contents faster than one after the other, one thread does it: what it
//! saves is there for whoever sends what is hashed. Elsewhere a second thread hashes the ranges.

use std::ops;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::hash::{BUFFER, Hashing};
use super::passes::Range;
use crate::oci::{Algorithm, Hasher, Sha256};
use crate::plan::PlanError;
use crate::store::BlobSource as _;

/// Buffers between the two threads of a pass: one is read, one hashed by each, one is between them.
const BUFFERS: usize = 4;

impl Hashing<'_> {
    /// Hashes a file and the ranges of it.
    pub(super) fn file(
        &self,
        whole: usize,
        ranges: &[Range],
        buffer: &mut Vec<u8>,
    ) -> Result<(), PlanError> {
        match Sha256::has_pairs() {
            true => self.file_in_pairs(whole, ranges, buffer),
            false => self.file_on_two_threads(whole, ranges),
        }
    }

    /// Reads a file once and hashes all of it together with the ranges.
    fn file_in_pairs(
        &self,
        whole: usize,
        ranges: &[Range],
        buffer: &mut Vec<u8>,
    ) -> Result<(), PlanError> {
        buffer.resize(BUFFER, 0);
        let mut reader = self.contents[whole].open_at(0).map_err(PlanError::Read)?;
        let (mut file, mut range) = (Sha256::new(), Sha256::new());
        let mut steps = Steps::new(ranges);
        loop {
            let read = self.read(&mut *reader, buffer)?;
            if read == 0 {
                return self.tell(whole, file.finish());
            }
            let mut hashed = 0;
            steps.pass(read, |part, done| {
                file.update(&buffer[hashed..part.start]);
                hashed = part.end;
                Sha256::update_both(&mut file, &mut range, &buffer[part]);
                match done {
                    Some(content) => {
                        let done = std::mem::replace(&mut range, Sha256::new());
                        self.tell(content, done.finish())
                    }
                    None => Ok(()),
                }
            })?;
            file.update(&buffer[hashed..read]);
        }
    }

    /// Reads a file once: this thread hashes all of it, another one the ranges.
    fn file_on_two_threads(&self, whole: usize, ranges: &[Range]) -> Result<(), PlanError> {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut reader = self.contents[whole].open_at(0).map_err(PlanError::Read)?;
        // A buffer is used again when the other thread is done with it: it takes one at a time, and
        // at most two wait for it.
        let (sender, receiver) = sync_channel(BUFFERS - 2);
        let mut buffers: Vec<Arc<Vec<u8>>> = Vec::new();
        thread::scope(|scope| {
            let other = scope.spawn(|| self.ranges(ranges, receiver));
            let mut fill = || -> Result<(), PlanError> {
                for turn in 0.. {
                    if buffers.len() < BUFFERS {
                        buffers.push(Arc::new(vec![0; BUFFER]));
                    }
                    let buffer = &mut buffers[turn % BUFFERS];
                    let read = self.read(&mut *reader, Arc::make_mut(buffer).as_mut_slice())?;
                    if read == 0 || sender.send((Arc::clone(buffer), read)).is_err() {
                        break;
                    }
                    hasher.update(&buffer[..read]);
                }
                Ok(())
            };
            let filled = fill();
            drop(sender);
            let hashed = other.join();
            hashed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            filled
        })?;
        self.tell(whole, hasher.finish())
    }

    /// Hashes the ranges of a file, which comes in order.
    fn ranges(
        &self,
        ranges: &[Range],
        buffers: Receiver<(Arc<Vec<u8>>, usize)>,
    ) -> Result<(), PlanError> {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut steps = Steps::new(ranges);
        for (buffer, length) in buffers {
            steps.pass(length, |part, done| {
                hasher.update(&buffer[part]);
                match done {
                    Some(content) => {
                        let new = Hasher::new(Algorithm::Sha256);
                        let done = std::mem::replace(&mut hasher, new);
                        self.tell(content, done.finish())
                    }
                    None => Ok(()),
                }
            })?;
        }
        Ok(())
    }
}

/// Goes through the ranges of a file, buffer by buffer.
struct Steps<'a> {
    /// Those that have not ended.
    ranges: &'a [Range],
    /// Where the next buffer begins in the file.
    position: u64,
}

impl<'a> Steps<'a> {
    fn new(ranges: &'a [Range]) -> Self {
        Self {
            ranges,
            position: 0,
        }
    }

    /// Passes over the next bytes of the file: says which part of them is of a range, and where one ends
    /// in them, of which content it is.
    fn pass(
        &mut self,
        length: usize,
        mut step: impl FnMut(ops::Range<usize>, Option<usize>) -> Result<(), PlanError>,
    ) -> Result<(), PlanError> {
        let end = self.position + length as u64;
        while let [range, later @ ..] = self.ranges
            && range.offset < end
        {
            let range_end = range.offset + range.length;
            let from = (range.offset.max(self.position) - self.position) as usize;
            let to = (range_end.min(end) - self.position) as usize;
            let has_ended = range_end <= end;
            step(from..to, has_ended.then_some(range.content))?;
            if !has_ended {
                break;
            }
            self.ranges = later;
        }
        self.position = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::source::ModelFile;
    use crate::oci::Digest;
    use crate::plan::Hashed;
    use crate::plan::content::passes::{Pass, passes};
    use crate::plan::content::{Segment, Segments};

    /// Ranges that begin and end everywhere, seen from the buffers and from the blocks of SHA-256.
    #[test]
    fn file_and_its_ranges_have_their_digests_from_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..7_000_001u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        let location = folder.path().join("f");
        std::fs::write(&location, &bytes).unwrap();
        let file = Arc::new(ModelFile::new("f".parse().unwrap(), location).unwrap());
        let size = bytes.len() as u64;
        let buffer = BUFFER as u64;
        let ranges = [
            (0, 5 * buffer),
            (5 * buffer, 4 * buffer + 1),
            (9 * buffer + 1, 5 * buffer),
            (15 * buffer + 7, size - 15 * buffer - 7),
        ];
        let contents = ranges.map(|(offset, length)| {
            let file = Arc::clone(&file);
            Segments::from_iter([Segment::Range {
                file,
                offset,
                length,
            }])
        });
        let contents = [contents.to_vec(), vec![Segments::whole(&file)]].concat();
        let found = passes(&contents, &[0, 1, 2, 3, 4]);
        let [Pass::File(4, in_pass)] = found.as_slice() else {
            panic!("{found:?}");
        };
        for in_pairs in [true, false] {
            let found = Mutex::new(vec![None; contents.len()]);
            let told = |content: usize, digest| {
                let before = found.lock().unwrap()[content].replace(digest);
                assert_eq!(before, None, "each is told once");
                true
            };
            let counter = Hashed::default();
            let hashing = Hashing::new(&contents, &told, &counter);
            match in_pairs {
                true => hashing.file_in_pairs(4, in_pass, &mut Vec::new()),
                false => hashing.file_on_two_threads(4, in_pass),
            }
            .unwrap();
            let found = found.into_inner().unwrap();
            for ((offset, length), digest) in ranges.into_iter().zip(&found) {
                let part = &bytes[offset as usize..][..length as usize];
                assert_eq!(*digest, Some(Digest::sha256(part)), "{offset} {in_pairs}");
            }
            assert_eq!(found[4], Some(Digest::sha256(&bytes)));
        }
    }
}
