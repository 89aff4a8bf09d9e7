//! Files, hashed from their first byte to their last.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::ranges::{KnownRange, RangeHasher, What};
use super::{Check, Code, Finding};
use crate::model::FilePath;
use crate::model::folder::{self, Entry};
use crate::oci::{Algorithm, Digest, Hasher};

/// How much is read at a time.
const BUFFER: usize = 1024 * 1024;

/// A file that must stand in the folder.
pub(super) struct Item<'a> {
    pub(super) check: Check,
    pub(super) path: &'a FilePath,
    /// Its length in bytes.
    pub(super) size: u64,
    pub(super) digest: Digest,
}

impl Item<'_> {
    /// Hashes the file, and ranges of it in the same pass.
    pub(super) fn verify(
        &self,
        root: &Path,
        entries: &BTreeMap<PathBuf, Entry>,
        ranges: &[KnownRange],
    ) -> (Finding, Vec<(What, bool)>) {
        let finding = |code| Finding::new(self.check, self.path.as_str(), code);
        match entries.get(Path::new(self.path.as_str())) {
            None => return (finding(Code::Missing), Vec::new()),
            Some(entry) if !entry.is_file() => return (finding(Code::NotRegular), Vec::new()),
            Some(_) => {}
        }
        let hashed = folder::open_regular(&self.path.under(root))
            .and_then(|file| hash(file, self.digest.algorithm(), ranges));
        let read = match hashed {
            Ok(read) => read,
            Err(error) => return (unreadable(self.check, self.path, &error), Vec::new()),
        };
        if read.digest != self.digest {
            let message = format!(
                "expected {} of {} bytes, got {} of {} bytes",
                self.digest, self.size, read.digest, read.size
            );
            return (finding(Code::Mismatch).because(message), Vec::new());
        }
        let verified = finding(Code::Verified).because(read.digest.to_string());
        (verified, read.ranges)
    }
}

pub(super) fn unreadable(check: Check, path: &FilePath, error: &io::Error) -> Finding {
    Finding::new(check, path.as_str(), Code::Unreadable).because(error.to_string())
}

/// The SHA-256 of a regular file.
pub(crate) fn digest_of(path: &Path) -> io::Result<Digest> {
    let file = folder::open_regular(path)?;
    Ok(hash(file, Algorithm::Sha256, &[])?.digest)
}

/// What was read of a file.
pub(super) struct Hashed {
    pub(super) digest: Digest,
    /// How many bytes.
    pub(super) size: u64,
    /// What the known ranges turned out to be.
    pub(super) ranges: Vec<(What, bool)>,
}

/// Reads to the end.
pub(super) fn hash(
    mut reader: impl Read,
    algorithm: Algorithm,
    ranges: &[KnownRange],
) -> io::Result<Hashed> {
    let mut hasher = Hasher::new(algorithm);
    let mut parts = RangeHasher::new(ranges.to_vec());
    let mut buffer = vec![0; BUFFER];
    let mut size = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&buffer[..count]);
        parts.add(&buffer[..count]);
        size += count as u64;
    }
    Ok(Hashed {
        digest: hasher.finish(),
        size,
        ranges: parts.finish(),
    })
}
