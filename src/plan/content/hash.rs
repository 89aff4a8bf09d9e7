//! Digests of many contents at once, on threads of their own; each is told as soon as it is known.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::Segments;
use super::passes::{Pass, passes};
use crate::oci::{Algorithm, Digest, Hasher};
use crate::plan::{Hashed, PlanError};
use crate::store::BlobSource as _;

/// Long enough that system calls do not count, short enough that a second thread finds it in the
/// cache of the processor.
pub(super) const BUFFER: usize = 256 * 1024;
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
    let hashing = Hashing::new(contents, told, hashed);
    let work = || -> Result<(), PlanError> {
        let mut buffer = Vec::new();
        while let Some(pass) = passes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let hashed = match pass {
                Pass::Alone(content) => hashing.alone(*content, &mut buffer),
                Pass::File(whole, ranges) => hashing.file(*whole, ranges, &mut buffer),
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
pub(super) struct Hashing<'a> {
    pub(super) contents: &'a [Segments],
    told: &'a (dyn Fn(usize, Digest) -> bool + Sync),
    hashed: &'a Hashed,
    is_over: AtomicBool,
}

impl<'a> Hashing<'a> {
    pub(super) fn new(
        contents: &'a [Segments],
        told: &'a (dyn Fn(usize, Digest) -> bool + Sync),
        hashed: &'a Hashed,
    ) -> Self {
        let is_over = AtomicBool::new(false);
        Self {
            contents,
            told,
            hashed,
            is_over,
        }
    }

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

    pub(super) fn read(
        &self,
        reader: &mut dyn Read,
        buffer: &mut [u8],
    ) -> Result<usize, PlanError> {
        match self.is_over.load(Ordering::Relaxed) {
            true => Err(PlanError::GivenUp),
            false => {
                let read = reader.read(buffer).map_err(PlanError::Read)?;
                self.hashed.add(read);
                Ok(read)
            }
        }
    }

    pub(super) fn tell(&self, content: usize, digest: Digest) -> Result<(), PlanError> {
        match (self.told)(content, digest) {
            true => Ok(()),
            false => Err(PlanError::GivenUp),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
