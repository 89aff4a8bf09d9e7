//! Locks between processes that use one layout.
//!
//! Three files in the layout, locked with `flock`: the kernel frees a lock when its owner ends, also
//! by `kill -9`, so that a dead owner's lock never has to be broken. The files stay, and say nothing.
//!
//! - `.content.lock` is held shared while blobs are added that no entry leads to yet, and exclusive
//!   while blobs are removed ([`super::Layout::gc`], [`super::Layout::repair`]).
//! - `.collect.lock` is held exclusive by whoever asks for `.content.lock` exclusive, and all the
//!   while it has it. So a long-lived holder can give its shared lock for an exclusive one and back
//!   ([`Hold::alone`]), which `flock` does by letting go in between: nobody removes anything then.
//! - `.index.lock` is held exclusive while `index.json` is read, changed and replaced.
//!
//! Whoever takes several takes `.collect.lock` first and `.index.lock` last. Readers take none: blobs never change, and
//! `index.json` is replaced as a whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::store::StoreError;

/// The file that is locked while blobs come and go.
const CONTENT: &str = ".content.lock";
/// The file that is locked while `index.json` changes.
const INDEX: &str = ".index.lock";
/// The file that is locked by the one process that removes blobs.
const COLLECT: &str = ".collect.lock";
/// All of them, as they lie in a layout.
pub(super) const LOCK_FILES: [&str; 3] = [CONTENT, INDEX, COLLECT];

/// Keeps the blobs of a layout from being removed until it is dropped.
///
/// Whoever adds several blobs and then an entry that leads to them holds one all the while.
#[derive(Debug)]
pub struct Hold {
    path: PathBuf,
    file: File,
}

/// A [`Hold`] that keeps everyone else from adding and removing blobs.
#[derive(Debug)]
pub(crate) struct Alone<'a> {
    hold: &'a Hold,
    _turn: File,
}

/// Keeps everyone else from adding and removing blobs.
#[derive(Debug)]
pub(super) struct ContentLock {
    _file: File,
    _turn: File,
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
        Ok(Self { path, file })
    }

    /// Turns this hold into the right to remove blobs until the result is dropped. Fails at once
    /// with [`StoreError::Busy`] while anyone else holds the content, and this one is kept then.
    pub(crate) fn alone(&self) -> Result<Alone<'_>, StoreError> {
        let root = self.path.parent().unwrap_or(Path::new("."));
        let turn = turn(root)?;
        match flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Alone {
                hold: self,
                _turn: turn,
            }),
            Err(error) => {
                // The attempt has let go of the shared lock. Nobody else can have an exclusive one.
                let kept = flock(&self.file, FlockOperation::LockShared);
                kept.map_err(|error| StoreError::io(&self.path)(error.into()))?;
                Err(match error {
                    Errno::WOULDBLOCK => busy(root),
                    other => StoreError::io(&self.path)(other.into()),
                })
            }
        }
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // It makes a lock weaker that this file has: there is nothing to wait for, nor to fail.
        let _ = flock(&self.hold.file, FlockOperation::LockShared);
    }
}

impl ContentLock {
    /// Fails at once with [`StoreError::Busy`] while anyone holds the content.
    pub(super) fn acquire(root: &Path) -> Result<Self, StoreError> {
        let turn = turn(root)?;
        Ok(Self {
            _file: exclusive(root, CONTENT)?,
            _turn: turn,
        })
    }
}

/// Takes the right to ask for `.content.lock` exclusive; fails at once if another has it.
fn turn(root: &Path) -> Result<File, StoreError> {
    exclusive(root, COLLECT)
}

fn exclusive(root: &Path, name: &str) -> Result<File, StoreError> {
    let path = root.join(name);
    let file = open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(busy(root)),
        Err(TryLockError::Error(error)) => Err(StoreError::io(&path)(error)),
    }
}

fn busy(root: &Path) -> StoreError {
    StoreError::Busy {
        path: root.to_owned(),
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
