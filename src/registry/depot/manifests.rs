//! Manifests of a repository: the exact bytes that were pushed, and the media type they had.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::RwLockReadGuard;

use super::adoption::describe;
use super::catalogue::Change;
use super::{Depot, Repository, files};
use crate::oci::{Descriptor, Digest, Document, Kind, MAX_MANIFEST_SIZE, Tag, media_type};
use crate::registry::RegistryError;

pub(super) const MANIFESTS: &str = "_manifests";

/// A manifest that is stored, open for reading.
#[derive(Debug)]
pub(crate) struct StoredManifest {
    /// The digest that it was pushed by.
    pub(crate) digest: Digest,
    /// The media type that it was pushed with.
    pub(crate) media_type: String,
    /// Its length in bytes.
    pub(crate) size: u64,
    path: PathBuf,
    file: File,
}

impl StoredManifest {
    /// Reads the bytes.
    pub(crate) fn read(&self) -> Result<Vec<u8>, RegistryError> {
        let mut raw = Vec::new();
        (&self.file)
            .take(MAX_MANIFEST_SIZE)
            .read_to_end(&mut raw)
            .map_err(RegistryError::at(&self.path))?;
        Ok(raw)
    }
}

impl Depot {
    /// Opens a manifest that a repository has.
    pub(crate) fn open_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<StoredManifest>, RegistryError> {
        let record = files::read(&self.record(repository, MANIFESTS, digest))?;
        let Some(media_type) = record.filter(|text| media_type::is_manifest(text)) else {
            return Ok(None);
        };
        Ok(self
            .open_content(digest)?
            .map(|(file, size)| StoredManifest {
                digest: *digest,
                media_type,
                size,
                path: self.layout.blob_path(digest),
                file,
            }))
    }

    /// Whether a repository has a manifest.
    pub(super) fn has_manifest(&self, repository: &Repository, digest: &Digest) -> bool {
        self.record(repository, MANIFESTS, digest).is_file() && self.has_content(digest)
    }

    /// The first of the blobs and manifests which a document needs that the repository lacks.
    /// Layers that may not be distributed live elsewhere, and a subject may come later.
    pub(crate) fn first_missing(
        &self,
        repository: &Repository,
        document: &Document,
    ) -> Option<Digest> {
        let is_missing = |child: &&Descriptor| match document.kind() {
            Kind::Manifest(_) => {
                !media_type::is_foreign_layer(&child.media_type)
                    && !self.has_blob(repository, &child.digest)
            }
            Kind::Index(_) => {
                !self.has_manifest(repository, &child.digest)
                    && (media_type::is_manifest(&child.media_type)
                        || !self.has_blob(repository, &child.digest))
            }
        };
        let missing = match document.kind() {
            Kind::Manifest(manifest) => manifest.blobs().find(is_missing),
            Kind::Index(index) => index.manifests.iter().find(is_missing),
        };
        missing.map(|child| child.digest)
    }

    /// Keeps everything where it is until the guard is dropped, and what a document needs also
    /// from the collection that is in work: it is being stored.
    pub(crate) fn rely_on(&self, document: &Document) -> RwLockReadGuard<'_, ()> {
        let kept = self.presence.rely();
        match document.kind() {
            Kind::Manifest(manifest) => manifest
                .blobs()
                .for_each(|blob| self.presence.note(&blob.digest)),
            Kind::Index(index) => index
                .manifests
                .iter()
                .for_each(|child| self.presence.note(&child.digest)),
        }
        kept
    }

    /// Stores a manifest under its digest, and makes tags lead to it. The caller relies on it.
    pub(crate) fn store_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
        document: &Document,
        tags: &[Tag],
    ) -> Result<(), RegistryError> {
        let mut charge = self.ledger.charge(repository);
        charge.set(document.raw().len() as u64)?;
        let content = files::temporary(&self.scratch(), document.raw())?;
        let is_new = self.put_content(digest, content)?;
        let changes = self.change();
        let is_new_here = !self.record(repository, MANIFESTS, digest).is_file();
        self.write_manifest(repository, digest, document)?;
        for tag in tags {
            self.write_tag(repository, tag, digest)?;
        }
        let manifest = describe(document, digest);
        let tagged = |tag: &Tag| Change::Tag(tag.clone(), manifest.clone());
        self.announce(repository, [Change::Manifest(manifest.clone())]);
        self.announce(repository, tags.iter().map(tagged));
        drop(changes);
        charge.settle(is_new, is_new_here);
        self.publish()
    }

    /// Writes what a repository knows of a manifest.
    pub(super) fn write_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
        document: &Document,
    ) -> Result<(), RegistryError> {
        let record = self.record(repository, MANIFESTS, digest);
        files::write(&self.scratch(), &record, document.media_type().as_bytes())?;
        self.write_referrer(repository, digest, document)
    }

    /// Takes a manifest out of a repository, with the tags that lead to it; says whether it was
    /// there.
    pub(crate) fn delete_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        let changes = self.change();
        let Some(stored) = self.open_manifest(repository, digest)? else {
            return Ok(false);
        };
        for tag in self.tags(repository)? {
            if self.resolve_tag(repository, &tag)? == Some(*digest) {
                self.remove_tag(repository, &tag)?;
            }
        }
        if let Some(subject) = subject(&stored) {
            self.remove_referrer(repository, &subject, digest)?;
        }
        if files::remove(&self.record(repository, MANIFESTS, digest))? {
            self.ledger.lost_in(repository, stored.size);
        }
        self.announce(repository, [Change::Delete(*digest)]);
        drop(changes);
        self.publish()?;
        Ok(true)
    }

    /// Takes a tag out of a repository; says whether it was there.
    pub(crate) fn delete_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<bool, RegistryError> {
        let changes = self.change();
        let was_there = self.remove_tag(repository, tag)?;
        if was_there {
            self.announce(repository, [Change::Untag(tag.clone())]);
        }
        drop(changes);
        self.publish()?;
        Ok(was_there)
    }
}

/// The subject of a stored manifest; none if its bytes can no longer be read.
fn subject(stored: &StoredManifest) -> Option<Digest> {
    let document = Document::parse(stored.read().ok()?, Some(&stored.media_type)).ok()?;
    document.subject().map(|subject| subject.digest)
}
