//! Digests that this machine has computed: an unchanged file is not read again.
//!
//! contents → digests of those whose files are exactly what they were. A content is known by what
//! it is made of: device, inode, length, time of change and time of inode change of each file, in
//! nanoseconds, and the ranges of it.
//!
//! A file that changes in the instant in which it was hashed has the same times afterwards; git
//! calls that racy. So a digest is only kept of files that were last changed well before hashing
//! began, and that are unchanged when it has ended.
//!
//! Two processes may use one cache: each replaces the file whole, with what the other has added
//! until then. The worst that happens is that a digest is computed again.

mod file;
mod key;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::content::Segments;
use crate::oci::Digest;
use file::{Record, Records};
#[cfg(fuzzing)]
pub(crate) use file::{parse, to_bytes};
use key::{is_settled, key};

/// The name of the file.
const NAME: &str = "digests";
/// The coarsest times that a file system in use has (FAT, 2 s), and some.
const MARGIN: Duration = Duration::from_secs(3);
/// How exactly it is remembered when a record was used: a day. Else each use would be a write.
const USED: u64 = 24 * 60 * 60;

/// Digests that this machine has computed, in a folder that the caller names. Clones share it.
#[derive(Debug, Clone)]
pub struct DigestCache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    margin: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    records: Records,
    /// Whether there is something to write.
    is_new: bool,
}

impl DigestCache {
    /// Opens the cache in a folder, which is made when there is something to keep. A cache that
    /// cannot be read is empty, and one that cannot be written is not kept: a cache never fails.
    pub fn open(folder: &Path) -> Self {
        Self::with_margin(folder, MARGIN)
    }

    /// The same for file systems whose times are exact to this much.
    pub fn with_margin(folder: &Path, margin: Duration) -> Self {
        let path = folder.join(NAME);
        let records = file::read(&path);
        Self(Arc::new(Shared {
            path,
            margin,
            state: Mutex::new(State {
                records,
                is_new: false,
            }),
        }))
    }

    /// The digest of a content whose files have not changed since it was kept.
    pub(super) fn find(&self, content: &Segments) -> Option<Digest> {
        let key = key(content)?;
        let mut state = self.state();
        let State { records, is_new } = &mut *state;
        let record = records.get_mut(&key)?;
        let now = seconds(SystemTime::now());
        if record.used.saturating_add(USED) < now {
            record.used = now;
            *is_new = true;
        }
        Some(record.digest)
    }

    /// Keeps the digest of a content that was read since `begun`, unless a file of it changed since
    /// or shortly before.
    pub(super) fn keep(&self, content: &Segments, digest: &Digest, begun: SystemTime) {
        let Some(key) = key(content) else {
            return;
        };
        if is_settled(content, begun, self.0.margin) {
            let record = Record {
                digest: *digest,
                used: seconds(SystemTime::now()),
            };
            let mut state = self.state();
            state.records.insert(key, record);
            state.is_new = true;
        }
    }

    /// Writes what is new, together with what other processes have written.
    pub(super) fn save(&self) {
        let mut state = self.state();
        if !state.is_new {
            return;
        }
        for (key, theirs) in file::read(&self.0.path) {
            let ours = state.records.entry(key).or_insert(theirs);
            ours.used = ours.used.max(theirs.used);
        }
        state.is_new = false;
        if let Err(error) = file::write(&self.0.path, &state.records) {
            let path = self.0.path.display();
            tracing::info!("digests are not kept: {path}: {error}");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
