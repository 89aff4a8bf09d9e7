//! The right to go on with an upload: one process has it at a time.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::record::{Key, Record};
use crate::store::on_thread;

/// Held while an upload is sent. The kernel frees it when its owner ends, also by `kill -9`.
#[derive(Debug)]
pub(crate) struct Claim {
    files: Files,
    key: Key,
    found: Option<Record>,
}

/// Where the two files of an upload lie.
#[derive(Debug, Clone)]
struct Files {
    record: PathBuf,
    lock: PathBuf,
    _held: std::sync::Arc<File>,
}

impl Claim {
    /// Claims an upload; nothing if another process has it.
    pub(super) fn take(folder: &Path, key: Key) -> io::Result<Option<Self>> {
        let name = key.name();
        let lock = folder.join(format!("{name}.lock"));
        let Some(held) = locked(&lock)? else {
            return Ok(None);
        };
        let record = folder.join(format!("{name}.json"));
        let found = match Record::read(&record, &key) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::debug!("an unfinished upload cannot be read: {error}");
                None
            }
        };
        let _held = std::sync::Arc::new(held);
        let files = Files {
            record,
            lock,
            _held,
        };
        Ok(Some(Self { files, key, found }))
    }

    /// What an earlier process left.
    pub(crate) fn found(&self) -> Option<&Record> {
        self.found.as_ref()
    }

    /// Remembers how far the upload is, or forgets it if that must not be written down.
    pub(crate) async fn keep(&self, record: &Record) {
        let (files, key, record) = (self.files.clone(), self.key.clone(), record.clone());
        let written = on_thread(move || match record.is_keepable(&key.registry) {
            true => record.write(&files.record, &key),
            false => removed(&files.record),
        });
        if let Err(error) = written.await {
            tracing::debug!("an upload cannot be remembered: {error}");
        }
    }

    /// Forgets the upload: it is complete.
    pub(crate) async fn finish(self) {
        let files = self.files;
        let gone = on_thread(move || {
            removed(&files.record)?;
            removed(&files.lock)
        });
        if let Err(error) = gone.await {
            tracing::debug!("a finished upload cannot be forgotten: {error}");
        }
    }
}

/// Opens a file and locks it; nothing if somebody else has. Whoever is done removes the file, so
/// that the one which was locked may be gone from the folder by then: the new one counts.
pub(super) fn locked(path: &Path) -> io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
        let held = file.metadata()?;
        let same = |there: fs::Metadata| (there.dev(), there.ino()) == (held.dev(), held.ino());
        if fs::metadata(path).is_ok_and(same) {
            return Ok(Some(file));
        }
    }
}

/// Removes a file that may be gone already.
pub(super) fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
