//! Which repository has which blob.

use std::fs::File;

use super::{Depot, Repository, files};
use crate::oci::Digest;
use crate::registry::RegistryError;
use crate::store::StoreError;

const BLOBS: &str = "_blobs";

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

    /// Makes a blob that is stored visible in a repository.
    pub(super) fn link_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        files::touch(&self.record(repository, BLOBS, digest))
    }

    /// Mounts a blob from another repository, or from wherever it is; says whether it was there.
    pub(crate) fn mount_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: Option<&Repository>,
    ) -> Result<bool, RegistryError> {
        let there = match from {
            Some(from) => self.has_blob(from, digest),
            None => self.has_content(digest),
        };
        if there {
            self.link_blob(repository, digest)?;
        }
        Ok(there)
    }

    /// Takes a blob out of one repository; says whether it was in it.
    pub(crate) fn delete_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        files::remove(&self.record(repository, BLOBS, digest))
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
