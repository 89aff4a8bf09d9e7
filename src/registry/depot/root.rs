//! The folder of a store that is served.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::{Repository, files};
use crate::oci::Digest;
use crate::registry::RegistryError;

/// A store that this process serves, until it is dropped.
#[derive(Debug)]
pub(crate) struct Depot {
    root: PathBuf,
    /// Held by whoever changes manifests or tags, so that the records of one never disagree.
    pub(super) changes: Mutex<()>,
    /// The lock on the store; the system gives it up when the process ends.
    _lock: File,
}

impl Depot {
    /// Opens a store, makes it where there is none, and clears what an earlier process left
    /// half done.
    pub(crate) fn open(root: &Path) -> Result<Self, RegistryError> {
        let private = root.join("registry");
        fs::create_dir_all(&private).map_err(RegistryError::at(&private))?;
        let path = private.join("lock");
        let lock = File::create(&path).map_err(RegistryError::at(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RegistryError::Busy {
                    path: root.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(RegistryError::at(&path)(error)),
        }
        let depot = Self {
            root: root.to_owned(),
            changes: Mutex::new(()),
            _lock: lock,
        };
        depot.clear_scratch()?;
        Ok(depot)
    }

    fn clear_scratch(&self) -> Result<(), RegistryError> {
        let scratch = self.scratch();
        for name in files::names(&scratch)? {
            files::remove(&scratch.join(name))?;
        }
        fs::create_dir_all(&scratch).map_err(RegistryError::at(&scratch))
    }

    /// Where files are written before they are renamed: on the same file system as everything.
    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join("registry").join("scratch")
    }

    /// The folder of one kind of records of a repository.
    pub(super) fn records(&self, repository: &Repository, kind: &str) -> PathBuf {
        self.folder(repository).join(kind)
    }

    /// The record of one kind about one digest.
    pub(super) fn record(&self, repository: &Repository, kind: &str, digest: &Digest) -> PathBuf {
        self.records(repository, kind)
            .join(digest.algorithm().as_str())
            .join(digest.hex())
    }

    /// Whether anything was ever pushed to a repository.
    pub(crate) fn knows(&self, repository: &Repository) -> bool {
        ["_blobs", "_manifests"]
            .iter()
            .any(|kind| self.records(repository, kind).is_dir())
    }

    /// The file of a content.
    pub(super) fn content(&self, digest: &Digest) -> PathBuf {
        self.root
            .join("blobs")
            .join(digest.algorithm().as_str())
            .join(digest.hex())
    }

    fn folder(&self, repository: &Repository) -> PathBuf {
        self.root
            .join("registry")
            .join("repositories")
            .join(repository.as_str())
    }
}
