//! Locks between processes that use one layout.
//!
//! Two files in the layout, locked with `flock`: the kernel frees a lock when its owner ends, also
//! by `kill -9`, so that a dead owner's lock never has to be broken. The files stay, and say nothing.
//!
//! - `.content.lock` is held shared while blobs are added that no entry leads to yet, and exclusive
//!   while blobs are removed ([`super::Layout::gc`], [`super::Layout::repair`]).
//! - `.index.lock` is held exclusive while `index.json` is read, changed and replaced.
//!
//! Whoever takes both takes `.content.lock` first. Readers take none: blobs never change, and
//! `index.json` is replaced as a whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::store::StoreError;

/// The file that is locked while blobs come and go.
const CONTENT: &str = ".content.lock";
/// The file that is locked while `index.json` changes.
const INDEX: &str = ".index.lock";
/// Both, as they lie in a layout.
pub(super) const LOCK_FILES: [&str; 2] = [CONTENT, INDEX];

/// Keeps the blobs of a layout from being removed until it is dropped.
///
/// Whoever adds several blobs and then an entry that leads to them holds one all the while.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

/// Keeps everyone else from adding and removing blobs.
#[derive(Debug)]
pub(super) struct ContentLock {
    _file: File,
}

/// Keeps everyone else from changing `index.json`.
#[derive(Debug)]
pub(super) struct IndexLock {
    _file: File,
}

impl Hold {
    /// Waits while blobs are being removed.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(CONTENT);
        let file = open(&path)?;
        file.lock_shared().map_err(StoreError::io(&path))?;
        Ok(Self { _file: file })
    }
}

impl ContentLock {
    /// Fails at once with [`StoreError::Busy`] while anyone holds the content.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(CONTENT);
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy {
                path: root.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&path)(error)),
        }
    }
}

impl IndexLock {
    /// Waits for its turn, which comes soon: nobody holds it for longer than one replacement.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        let path = root.join(INDEX);
        let file = open(&path)?;
        file.lock().map_err(StoreError::io(&path))?;
        Ok(Self { _file: file })
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(StoreError::io(path))
}
