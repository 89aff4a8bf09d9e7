//! Which repository has which blob.

use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::{Depot, Repository, files};
use crate::oci::Digest;
use crate::registry::RegistryError;
use crate::store::StoreError;

pub(super) const BLOBS: &str = "_blobs";
/// Contents that can be stored at the same time, if the first letters of their digests differ.
const STRIPES: usize = 64;

/// Turns to store a content, by its digest.
#[derive(Debug)]
pub(super) struct Arrivals([Mutex<()>; STRIPES]);

impl Default for Arrivals {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Arrivals {
    fn turn(&self, digest: &Digest) -> MutexGuard<'_, ()> {
        let hex = digest.hex();
        let first = usize::from_str_radix(&hex[..2], 16);
        let stripe = &self.0[first.expect("a digest begins with hex digits") % STRIPES];
        stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Depot {
    /// Opens a blob that a repository has, with its size in bytes. A record whose content is gone
    /// (the store was collected) counts for nothing.
    pub(crate) fn open_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<(File, u64)>, RegistryError> {
        if self.record(repository, BLOBS, digest).is_file() {
            self.open_content(digest)
        } else {
            Ok(None)
        }
    }

    /// Whether a repository has a blob.
    pub(crate) fn has_blob(&self, repository: &Repository, digest: &Digest) -> bool {
        self.record(repository, BLOBS, digest).is_file() && self.has_content(digest)
    }

    /// Keeps a blob from being collected for some time: a client was told that it is there, and may
    /// push what needs it. Says whether it is.
    pub(crate) fn promise_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let _kept = self.presence.rely();
        if !self.has_blob(repository, digest) {
            return Ok(false);
        }
        self.presence.note(digest);
        if self.freshens {
            files::freshen(&self.record(repository, BLOBS, digest))?;
        }
        Ok(true)
    }

    /// Gives a content that was hashed while it was written its final name; says whether there was
    /// none before. The same content is stored by one at a time, so that it is counted once.
    pub(super) fn put_content(
        &self,
        digest: &Digest,
        file: NamedTempFile,
    ) -> Result<bool, RegistryError> {
        let _turn = self.arrivals.turn(digest);
        self.presence.note(digest);
        let is_new = !self.has_content(digest);
        self.layout.put_file(digest, file)?;
        Ok(is_new)
    }

    /// Makes a blob that is stored visible in a repository; says whether it was not.
    pub(super) fn link_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        files::touch(&self.record(repository, BLOBS, digest))
    }

    /// Mounts a blob from another repository, or from wherever it is; says whether it was there.
    pub(crate) fn mount_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: Option<&Repository>,
    ) -> Result<bool, RegistryError> {
        let _kept = self.presence.rely();
        let is_visible = from.is_none_or(|from| self.has_blob(from, digest));
        let Some(size) = self.layout.blob_size(digest).filter(|_| is_visible) else {
            return Ok(false);
        };
        self.presence.note(digest);
        let mut charge = self.ledger.charge(repository);
        if !self.has_blob(repository, digest) {
            charge.set_own(size)?;
        }
        let is_new_here = self.link_blob(repository, digest)?;
        charge.settle(false, is_new_here);
        Ok(true)
    }

    /// Takes a blob out of one repository; says whether it was in it.
    pub(crate) fn delete_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let size = self.layout.blob_size(digest).unwrap_or_default();
        let was_there = files::remove(&self.record(repository, BLOBS, digest))?;
        if was_there {
            self.ledger.lost_in(repository, size);
        }
        Ok(was_there)
    }

    /// Opens a content, whoever has it.
    pub(super) fn open_content(
        &self,
        digest: &Digest,
    ) -> Result<Option<(File, u64)>, RegistryError> {
        match self.layout.open_blob(digest) {
            Ok(opened) => Ok(Some(opened)),
            Err(StoreError::BlobNotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a content is there, whoever has it.
    pub(super) fn has_content(&self, digest: &Digest) -> bool {
        self.layout.blob_size(digest).is_some()
    }
}
