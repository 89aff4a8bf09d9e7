//! How far each blob of a pull is, in a file of the temporary folder, so that another process can go
//! on where this one was killed.
//!
//! ```text
//! bytes 0..8     "mctlpul1"
//! bytes 8..40    SHA-256 of what is pulled: the artifact, and where each range of it is written
//! then 8 each    per blob, little-endian: so many of its bytes, from the first one, were written
//! ```
//!
//! A number is written after the bytes that it counts. It is a hint and never believed: whoever goes
//! on hashes those bytes again. A file of another length, or for another pull, counts as none.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, openat};

use super::PullPlan;
use crate::oci::{Algorithm, Digest, Hasher};

/// The name of the file.
const NAME: &str = "journal";
const MAGIC: &[u8; 8] = b"mctlpul1";
/// The length of magic and key in bytes.
const HEAD: usize = 40;
/// The length of a number in bytes.
const SLOT: usize = 8;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// Whether anything has been written that is worth going on with.
    has_progress: AtomicBool,
}

/// What a pull is: pulls of the same artifact with the same options have the same key.
pub(super) fn key(artifact: &Digest, plan: &PullPlan) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut add = |text: String| hasher.update(text.as_bytes());
    add(format!("{artifact}\n"));
    for file in &plan.files {
        add(format!(
            "file {} {} {}\n",
            file.size, file.digest, file.path
        ));
    }
    for blob in &plan.blobs {
        let descriptor = &blob.descriptor;
        add(format!("blob {} {}\n", descriptor.size, descriptor.digest));
        for piece in &blob.pieces {
            let (offset, length) = (piece.offset, piece.length);
            add(format!("{offset} {length} {} {}\n", piece.file, piece.at));
        }
    }
    hasher.finish()
}

/// How far each blob is, of these sizes in bytes; nothing if it is not the journal of this pull.
/// One that would be beyond its end is at its beginning.
pub(crate) fn positions(
    bytes: &[u8],
    key: &Digest,
    sizes: impl ExactSizeIterator<Item = u64>,
) -> Option<Vec<u64>> {
    let slots = bytes.strip_prefix(MAGIC)?.strip_prefix(key.value())?;
    if slots.len() != SLOT * sizes.len() {
        return None;
    }
    let numbers = slots.chunks_exact(SLOT).map(|slot| {
        let slot: [u8; SLOT] = slot.try_into().expect("it is as long as that");
        u64::from_le_bytes(slot)
    });
    let within = |(position, size)| if position <= size { position } else { 0 };
    Some(numbers.zip(sizes).map(within).collect())
}

impl Journal {
    /// Begins a journal in a folder that has none.
    pub(super) fn create(folder: impl AsFd, key: &Digest, plan: &PullPlan) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o600);
        let file = File::from(openat(folder, NAME, flags, mode)?);
        let slots = vec![0; SLOT * plan.blobs.len()];
        file.write_all_at(&[&MAGIC[..], key.value(), &slots].concat(), 0)?;
        Ok(Self {
            file,
            has_progress: AtomicBool::new(false),
        })
    }

    /// Opens the journal of an earlier process for the same pull, with how far each blob is.
    pub(super) fn open(
        folder: impl AsFd,
        key: &Digest,
        plan: &PullPlan,
    ) -> io::Result<Option<(Self, Vec<u64>)>> {
        // Nothing that is waited for, such as a FIFO.
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = match openat(folder, NAME, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(_) => return Ok(None),
        };
        let length = HEAD + SLOT * plan.blobs.len();
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() != length as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        let sizes = plan.blobs.iter().map(|blob| blob.descriptor.size);
        let Some(positions) = positions(&bytes, key, sizes) else {
            return Ok(None);
        };
        let has_progress = positions.iter().any(|position| *position > 0);
        let journal = Self {
            file,
            has_progress: AtomicBool::new(has_progress),
        };
        Ok(Some((journal, positions)))
    }

    /// Notes that so many bytes of a blob were written, and are to be found again.
    pub(super) fn record(&self, blob: usize, position: u64) -> io::Result<()> {
        if position > 0 {
            self.has_progress.store(true, Ordering::Relaxed);
        }
        let at = (HEAD + SLOT * blob) as u64;
        self.file.write_all_at(&position.to_le_bytes(), at)
    }

    /// Whether there is anything to go on with.
    pub(super) fn has_progress(&self) -> bool {
        self.has_progress.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::materialise::PlannedBlob;
    use crate::oci::Descriptor;

    fn plan(sizes: &[usize]) -> PullPlan {
        let blobs = sizes.iter().map(|size| PlannedBlob {
            descriptor: Descriptor::of("a/b", &vec![0; *size]),
            pieces: vec![],
        });
        PullPlan {
            files: vec![],
            blobs: blobs.collect(),
            size: 0,
            mark: None,
        }
    }

    #[test]
    fn numbers_are_found_again_by_the_same_pull_only() {
        let folder = tempfile::tempdir().unwrap();
        let handle = File::open(folder.path()).unwrap();
        let (mine, other) = (plan(&[10, 20]), plan(&[10, 21]));
        let key_of = |plan| key(&Digest::sha256(b"artifact"), plan);
        assert!(
            Journal::open(&handle, &key_of(&mine), &mine)
                .unwrap()
                .is_none()
        );
        let journal = Journal::create(&handle, &key_of(&mine), &mine).unwrap();
        assert!(!journal.has_progress());
        journal.record(1, 20).unwrap();
        assert!(journal.has_progress());
        let opened = Journal::open(&handle, &key_of(&mine), &mine).unwrap();
        let (journal, positions) = opened.unwrap();
        assert_eq!(positions, [0, 20]);
        assert!(journal.has_progress());
        assert!(
            Journal::open(&handle, &key_of(&other), &other)
                .unwrap()
                .is_none()
        );
        let artifact = key(&Digest::sha256(b"another"), &mine);
        assert!(Journal::open(&handle, &artifact, &mine).unwrap().is_none());
    }

    /// Whatever the file holds, nothing worse comes of it than a new beginning.
    #[test]
    fn hostile_journal_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let handle = File::open(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        let plan = plan(&[10, 20]);
        let key = key(&Digest::sha256(b"artifact"), &plan);
        drop(Journal::create(&handle, &key, &plan).unwrap());
        let good = fs::read(&path).unwrap();
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            assert!(Journal::open(&handle, &key, &plan).unwrap().is_none());
        }
        for at in 0..HEAD {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(Journal::open(&handle, &key, &plan).unwrap().is_none());
        }
        let mut far = good.clone();
        far[HEAD..HEAD + SLOT].fill(0xff);
        fs::write(&path, far).unwrap();
        let (_, positions) = Journal::open(&handle, &key, &plan).unwrap().unwrap();
        assert_eq!(positions, [0, 0]);
        // A folder and a link to a file without end are not even read.
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(Journal::open(&handle, &key, &plan).unwrap().is_none());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(Journal::open(&handle, &key, &plan).unwrap().is_none());
    }
}
