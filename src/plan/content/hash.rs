//! Digests of many contents at once, on threads of their own; each is told as soon as it is known.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Segments;
use super::passes::{Pass, Range, passes};
use crate::oci::{Algorithm, Digest, Hasher};
use crate::plan::{Hashed, PlanError};
use crate::store::BlobSource as _;

/// Long enough that system calls do not count, short enough that a second thread finds it in the
/// cache of the processor.
const BUFFER: usize = 256 * 1024;
/// Buffers between the two threads of a pass: one is read, one hashed by each, one is between them.
const BUFFERS: usize = 4;
/// More threads than this do not help: the disk is the limit by then.
const MAX_THREADS: usize = 8;

/// Computes the SHA-256 of the wanted contents, by index, and tells each. The longest come first.
///
/// # Errors
/// The first content that could not be read; and [`PlanError::GivenUp`] once `told` says that no
/// more is wanted.
pub(in crate::plan) fn digests(
    contents: &[Segments],
    wanted: &[usize],
    told: &(dyn Fn(usize, Digest) -> bool + Sync),
    hashed: &Hashed,
) -> Result<(), PlanError> {
    let passes = passes(contents, wanted);
    let next = AtomicUsize::new(0);
    let hashing = Hashing {
        contents,
        told,
        hashed,
        is_over: AtomicBool::new(false),
    };
    let work = || -> Result<(), PlanError> {
        let mut buffer = Vec::new();
        while let Some(pass) = passes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let hashed = match pass {
                Pass::Alone(content) => hashing.alone(*content, &mut buffer),
                Pass::File(whole, ranges) => hashing.file(*whole, ranges),
            };
            hashed.inspect_err(|_| hashing.is_over.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let threads = threads.clamp(2, MAX_THREADS).min(passes.len());
    // What was given up because something else failed says nothing.
    let failure: Mutex<Option<PlanError>> = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                if let Err(error) = work() {
                    let mut failure = failure.lock().expect("no thread panics");
                    if !matches!(*failure, Some(ref e) if !matches!(e, PlanError::GivenUp)) {
                        *failure = Some(error);
                    }
                }
            });
        }
    });
    match failure.into_inner().expect("no thread panics") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What the threads have in common.
struct Hashing<'a> {
    contents: &'a [Segments],
    told: &'a (dyn Fn(usize, Digest) -> bool + Sync),
    hashed: &'a Hashed,
    is_over: AtomicBool,
}

impl Hashing<'_> {
    fn alone(&self, content: usize, buffer: &mut Vec<u8>) -> Result<(), PlanError> {
        buffer.resize(BUFFER, 0);
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut reader = self.contents[content].open_at(0).map_err(PlanError::Read)?;
        loop {
            match self.read(&mut *reader, buffer)? {
                0 => return self.tell(content, hasher.finish()),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// Reads a file once: this thread hashes all of it, another one the ranges.
    fn file(&self, whole: usize, ranges: &[Range]) -> Result<(), PlanError> {
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
        let mut ranges = ranges.iter().peekable();
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let mut position = 0;
        for (buffer, length) in buffers {
            let end = position + length as u64;
            while let Some(range) = ranges.peek().filter(|range| range.offset < end) {
                let range_end = range.offset + range.length;
                let from = (range.offset.max(position) - position) as usize;
                let to = (range_end.min(end) - position) as usize;
                hasher.update(&buffer[from..to]);
                if range_end > end {
                    break;
                }
                let done = std::mem::replace(&mut hasher, Hasher::new(Algorithm::Sha256));
                self.tell(range.content, done.finish())?;
                ranges.next();
            }
            position = end;
        }
        Ok(())
    }

    fn read(&self, reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, PlanError> {
        match self.is_over.load(Ordering::Relaxed) {
            true => Err(PlanError::GivenUp),
            false => {
                let read = reader.read(buffer).map_err(PlanError::Read)?;
                self.hashed.add(read);
                Ok(read)
            }
        }
    }

    fn tell(&self, content: usize, digest: Digest) -> Result<(), PlanError> {
        match (self.told)(content, digest) {
            true => Ok(()),
            false => Err(PlanError::GivenUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::ModelFile;
    use crate::plan::content::Segment;

    fn all(contents: &[Segments]) -> Vec<Digest> {
        let found = Mutex::new(vec![None; contents.len()]);
        let wanted: Vec<usize> = (0..contents.len()).collect();
        let told = |content: usize, digest| {
            let before = found.lock().unwrap()[content].replace(digest);
            assert_eq!(before, None, "each is told once");
            true
        };
        digests(contents, &wanted, &told, &Hashed::default()).unwrap();
        let found = found.into_inner().unwrap();
        found.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn every_content_has_its_digest() {
        let contents: Vec<_> = (0..20u8)
            .map(|n| Segments::from(vec![n; usize::from(n) * 7]))
            .collect();
        for (n, digest) in (0..20u8).zip(all(&contents)) {
            assert_eq!(digest, Digest::sha256(&vec![n; usize::from(n) * 7]));
        }
        assert!(all(&[]).is_empty());
    }

    fn file(folder: &tempfile::TempDir, content: &[u8]) -> Arc<ModelFile> {
        let location = folder.path().join("f");
        std::fs::write(&location, content).unwrap();
        Arc::new(ModelFile::new("f".parse().unwrap(), location).unwrap())
    }

    fn range(file: &Arc<ModelFile>, offset: u64, length: u64) -> Segments {
        let file = Arc::clone(file);
        Segments::from_iter([Segment::Range {
            file,
            offset,
            length,
        }])
    }

    /// Ranges that begin and end everywhere, seen from the buffers.
    #[test]
    fn file_and_its_ranges_have_their_digests_from_one_pass() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..7_000_001u32)
            .map(|n| (n.wrapping_mul(n) >> 7) as u8)
            .collect();
        let file = file(&folder, &bytes);
        let size = bytes.len() as u64;
        let buffer = BUFFER as u64;
        let ranges = [
            (0, 5 * buffer),
            (5 * buffer, 4 * buffer + 1),
            (9 * buffer + 1, 5 * buffer),
            (15 * buffer + 7, size - 15 * buffer - 7),
        ];
        let contents = ranges.map(|(offset, length)| range(&file, offset, length));
        let contents = [contents.to_vec(), vec![Segments::whole(&file)]].concat();
        assert_eq!(passes(&contents, &[0, 1, 2, 3, 4]).len(), 1);
        let found = all(&contents);
        for ((offset, length), digest) in ranges.into_iter().zip(&found) {
            let part = &bytes[offset as usize..][..length as usize];
            assert_eq!(*digest, Digest::sha256(part), "{offset}");
        }
        assert_eq!(found[4], Digest::sha256(&bytes));
    }

    #[test]
    fn nothing_more_is_read_when_nobody_wants_it() {
        let contents: Vec<_> = (0..9u8).map(|n| Segments::from(vec![n; 99])).collect();
        let told = AtomicUsize::new(0);
        let stop = |_, _| {
            told.fetch_add(1, Ordering::Relaxed);
            false
        };
        let stopped = digests(
            &contents,
            &[0, 1, 2, 3, 4, 5, 6, 7, 8],
            &stop,
            &Hashed::default(),
        );
        assert!(matches!(stopped, Err(PlanError::GivenUp)));
        assert!(told.into_inner() <= MAX_THREADS);
    }

    #[test]
    fn file_that_ends_early_is_the_error_whoever_finds_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, &vec![1; 3 << 20]);
        let contents = [range(&file, 0, 1 << 20), Segments::whole(&file)];
        std::fs::write(&file.location, vec![1; 1 << 20]).unwrap();
        let failed = digests(&contents, &[0, 1], &|_, _| true, &Hashed::default());
        let error = failed.unwrap_err().to_string();
        assert!(error.contains("/f`: changed"), "{error}");
    }
}
