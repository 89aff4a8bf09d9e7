//! The folder of a store that is served.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blobs::{Arrivals, BLOBS};
use super::catalogue::Catalogue;
use super::ledger::Ledger;
use super::manifests::MANIFESTS;
use super::presence::Presence;
use super::{Repository, files};
use crate::oci::Digest;
use crate::registry::{RegistryError, RegistryOptions};
use crate::store::{Hold, Layout};

/// A store that this process serves, until it is dropped.
#[derive(Debug)]
pub(crate) struct Depot {
    pub(super) layout: Layout,
    pub(super) catalogue: Catalogue,
    /// Held by whoever changes manifests or tags, so that the records of one never disagree.
    changes: Mutex<()>,
    pub(super) presence: Presence,
    pub(super) arrivals: Arrivals,
    pub(super) ledger: Arc<Ledger>,
    /// Whether a blob that is asked for has to look young to a collection.
    pub(super) freshens: bool,
    /// Keeps other processes from collecting blobs that no manifest needs yet.
    pub(super) hold: Mutex<Hold>,
    /// The lock on the store; the system gives it up when the process ends.
    _lock: File,
}

impl Depot {
    /// Opens a store, makes it where there is none, and clears what an earlier process left
    /// half done.
    pub(crate) fn open(options: &RegistryOptions) -> Result<Self, RegistryError> {
        let root = options.store.as_path();
        let layout = Layout::open_or_create(root)?;
        let private = root.join("registry");
        fs::create_dir_all(&private).map_err(RegistryError::at(&private))?;
        let depot = Self {
            _lock: lock(root, &private.join("lock"))?,
            hold: Mutex::new(layout.hold()?),
            presence: Presence::default(),
            arrivals: Arrivals::default(),
            ledger: Ledger::new(options),
            freshens: options.collection.is_some(),
            catalogue: Catalogue::default(),
            changes: Mutex::new(()),
            layout,
        };
        depot.clear_scratch()?;
        depot.adopt_entries()?;
        depot.list_records()?;
        depot.count()?;
        Ok(depot)
    }

    /// Enters what is there in the books.
    fn count(&self) -> Result<(), RegistryError> {
        for (_, size) in self.layout.blobs()? {
            self.ledger.found(size);
        }
        if self.ledger.counts_repositories() {
            for repository in self.repositories()? {
                for kind in [BLOBS, MANIFESTS] {
                    for digest in self.recorded(&repository, kind)? {
                        let size = self.layout.blob_size(&digest).unwrap_or_default();
                        self.ledger.found_in(&repository, size);
                    }
                }
            }
        }
        Ok(())
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
        self.layout.root().join("registry").join("scratch")
    }

    /// The folder that the folders of repositories begin in.
    pub(super) fn repositories_folder(&self) -> PathBuf {
        self.layout.root().join("registry").join("repositories")
    }

    /// The folder of one kind of records of a repository.
    pub(super) fn records(&self, repository: &Repository, kind: &str) -> PathBuf {
        self.repositories_folder()
            .join(repository.as_str())
            .join(kind)
    }

    /// The record of one kind about one digest.
    pub(super) fn record(&self, repository: &Repository, kind: &str, digest: &Digest) -> PathBuf {
        self.records(repository, kind)
            .join(digest.algorithm().as_str())
            .join(digest.hex())
    }

    /// The digests that a repository has records of one kind about.
    pub(super) fn recorded(
        &self,
        repository: &Repository,
        kind: &str,
    ) -> Result<Vec<Digest>, RegistryError> {
        let folder = self.records(repository, kind);
        let mut found = Vec::new();
        for algorithm in files::names(&folder)? {
            for hex in files::names(&folder.join(&algorithm))? {
                let text = format!("{}:{}", algorithm.display(), hex.display());
                found.extend(text.parse::<Digest>());
            }
        }
        Ok(found)
    }

    /// Takes the right to change manifests and tags.
    pub(super) fn change(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the lock on a store.
fn lock(root: &Path, path: &Path) -> Result<File, RegistryError> {
    let file = File::create(path).map_err(RegistryError::at(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RegistryError::Busy {
            path: root.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(RegistryError::at(path)(error)),
    }
}
