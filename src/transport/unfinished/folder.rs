//! The folder of unfinished uploads, swept once by each process that uses it.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::claim::{Claim, locked, removed};
use super::record::{Key, MAX_AGE};
use crate::oci::Descriptor;
use crate::store::on_thread;
use crate::transport::http::Origin;

/// How many uploads are remembered: more than one model leaves when it is killed.
const MAX_UPLOADS: usize = 256;

/// The most files that are looked at; more are not made here.
const MAX_FILES: usize = 4096;

/// Remembers uploads in a folder, or nothing at all.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    folder: Option<PathBuf>,
    is_swept: Arc<AtomicBool>,
}

impl Unfinished {
    /// Remembers uploads in a folder below a state folder.
    pub(crate) fn new(state: Option<PathBuf>) -> Self {
        Self {
            folder: state.map(|state| state.join("uploads")),
            is_swept: Arc::default(),
        }
    }

    /// Claims the upload of a blob; nothing if another process is sending it, or if nothing can be
    /// remembered.
    pub(crate) async fn claim(
        &self,
        registry: &Origin,
        repository: &str,
        blob: &Descriptor,
    ) -> Option<Claim> {
        let folder = self.folder.clone()?;
        let key = Key {
            registry: registry.clone(),
            repository: repository.to_owned(),
            digest: blob.digest,
            size: blob.size,
        };
        let is_swept = self.is_swept.clone();
        let claimed = on_thread(move || {
            if !is_swept.swap(true, Ordering::Relaxed) {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&folder)?;
                sweep(&folder)?;
            }
            Claim::take(&folder, key)
        });
        claimed.await.unwrap_or_else(|error| {
            tracing::debug!("uploads cannot be remembered: {error}");
            None
        })
    }
}

/// Removes what is too old, and the oldest of what is too many.
fn sweep(folder: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.take(MAX_FILES).flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_file() {
            // A time in the future is no time.
            let age = now.duration_since(metadata.modified()?);
            found.push((age.unwrap_or(Duration::MAX), entry.path()));
        }
    }
    found.sort_unstable();
    let mut kept = 0;
    for (age, path) in found {
        let is_record = path.extension().is_some_and(|name| name == "json");
        kept += usize::from(is_record);
        if age > MAX_AGE || kept > MAX_UPLOADS {
            forget(&path)?;
        }
    }
    Ok(())
}

/// Removes a file and its lock, unless its upload is being sent.
fn forget(path: &Path) -> io::Result<()> {
    let lock = path.with_extension("lock");
    let Some(_held) = locked(&lock)? else {
        return Ok(());
    };
    removed(path)?;
    removed(&lock)
}
