//! The entries of a layout: which names lead to which manifests, and which manifests refer to others.

use std::fmt;

use super::{Layout, StoreError, index_file};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Kind, Reference, annotation, media_type};

/// A line of a layout's `index.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name; a manifest without one is found by its digest, or by its subject.
    pub name: Option<String>,
    /// The manifest.
    pub manifest: Descriptor,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.manifest.digest.fmt(f),
        }
    }
}

/// The name of the entry that a reference means: its text without the digest.
pub fn entry_name(reference: &Reference) -> String {
    match reference.tag() {
        Some(tag) => reference.clone().with_tag(tag.clone()).to_string(),
        None => reference.name(),
    }
}

impl Layout {
    /// Lists the entries in the order of `index.json`.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let index = index_file::read(self.root())?;
        let entry = |manifest: Descriptor| Entry {
            name: index_file::name_of(&manifest).map(str::to_owned),
            manifest,
        };
        Ok(index.manifests.into_iter().map(entry).collect())
    }

    /// Finds the manifest that a name leads to; of several entries with one name the first counts.
    pub fn resolve_name(&self, name: &str) -> Result<Descriptor, StoreError> {
        let entries = self.entries()?.into_iter();
        let found = entries
            .filter(|entry| entry.name.as_deref() == Some(name))
            .map(|entry| entry.manifest)
            .next();
        found.ok_or_else(|| self.name_not_found(name))
    }

    /// Finds the manifest of a layout that holds only one, as `oci:DIR` without a tag means it.
    /// Referrers do not count.
    pub fn resolve_only(&self) -> Result<Descriptor> {
        let mut entries = self.entries()?;
        if entries.len() > 1 {
            entries.retain(|entry| entry.name.is_some() || !self.is_referrer(&entry.manifest));
        }
        let place = self.root().display().to_string();
        let count = entries.len();
        match entries.pop() {
            Some(entry) if count == 1 => Ok(entry.manifest),
            Some(_) => Err(StoreError::Ambiguous { place, count }.into()),
            None => Err(self.name_not_found("any entry").into()),
        }
    }

    /// Makes a name lead to a manifest that is stored with everything it needs; what had the name
    /// before loses it. Artifact type and annotations of the descriptor are kept in the entry.
    pub fn tag_as(&self, manifest: &Descriptor, name: &str) -> Result<()> {
        let _hold = self.hold()?;
        let document = self.read_document(&manifest.digest, Some(&manifest.media_type))?;
        self.check_complete(&document)?;
        let mut entry = manifest.clone();
        entry
            .annotations
            .insert(annotation::REF_NAME.to_owned(), name.to_owned());
        let refers = document.subject().is_some();
        index_file::edit(self.root(), |entries| {
            entries.retain(|other| match index_file::name_of(other) {
                Some(other) => other != name,
                // A referrer keeps the entry by which it is found, also after its name is gone.
                None => refers || other.digest != entry.digest,
            });
            entries.push(entry);
        })?;
        Ok(())
    }

    /// Lists a manifest that is stored with everything it needs, without giving it a name, so that
    /// `gc` keeps it. A manifest that has an entry already is left as it is.
    pub fn list(&self, manifest: &Descriptor) -> Result<()> {
        let _hold = self.hold()?;
        let document = self.read_document(&manifest.digest, Some(&manifest.media_type))?;
        self.check_complete(&document)?;
        Ok(self.list_unnamed(manifest.clone())?)
    }

    /// Takes a name away and says what it led to. The blobs stay until [`Layout::gc`].
    pub fn untag(&self, name: &str) -> Result<Descriptor, StoreError> {
        let removed = index_file::edit(self.root(), |entries| {
            let mut removed = None;
            entries.retain(|entry| {
                let named = index_file::name_of(entry) == Some(name);
                if named && removed.is_none() {
                    removed = Some(entry.clone());
                }
                !named
            });
            removed
        })?;
        removed.ok_or_else(|| self.name_not_found(name))
    }

    /// Takes away every entry of a manifest, with or without a name, and says how many there were.
    /// The blobs stay until [`Layout::gc`].
    pub fn unlist(&self, manifest: &Digest) -> Result<usize, StoreError> {
        index_file::edit(self.root(), |entries| {
            let before = entries.len();
            entries.retain(|entry| entry.digest != *manifest);
            before - entries.len()
        })
    }

    /// Describes every listed manifest whose subject is this digest.
    pub fn referrers_of(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let mut found: Vec<Descriptor> = Vec::new();
        for entry in self.entries()? {
            let manifest = entry.manifest;
            let seen = found.iter().any(|other| other.digest == manifest.digest);
            if seen || !media_type::is_manifest(&manifest.media_type) {
                continue;
            }
            // A listed manifest that is broken or gone refers to nothing.
            let Ok(document) = self.read_document(&manifest.digest, Some(&manifest.media_type))
            else {
                continue;
            };
            if document.subject().is_some_and(|to| to.digest == *subject) {
                found.push(describe_referrer(&document, manifest.digest));
            }
        }
        Ok(found)
    }

    /// Lists a manifest that has a subject, as image-spec asks of a layout.
    pub(super) fn list_referrer(&self, manifest: &Descriptor) -> Result<()> {
        if !media_type::is_manifest(&manifest.media_type) {
            return Ok(());
        }
        let document = self.read_document(&manifest.digest, Some(&manifest.media_type))?;
        if document.subject().is_some() {
            self.list_unnamed(describe_referrer(&document, manifest.digest))?;
        }
        Ok(())
    }

    fn list_unnamed(&self, mut manifest: Descriptor) -> Result<(), StoreError> {
        manifest.annotations.remove(annotation::REF_NAME);
        index_file::edit(self.root(), |entries| {
            if !entries.iter().any(|other| other.digest == manifest.digest) {
                entries.push(manifest);
            }
        })
    }

    fn is_referrer(&self, manifest: &Descriptor) -> bool {
        self.read_document(&manifest.digest, Some(&manifest.media_type))
            .is_ok_and(|document| document.subject().is_some())
    }

    pub(super) fn name_not_found(&self, name: &str) -> StoreError {
        StoreError::NameNotFound {
            name: name.to_owned(),
            place: self.root().display().to_string(),
        }
    }
}

/// What a list of referrers says about one: artifact type and annotations of the manifest itself
/// (distribution-spec, "Listing Referrers").
pub(super) fn describe_referrer(document: &Document, digest: Digest) -> Descriptor {
    let size = document.raw().len() as u64;
    let mut descriptor = Descriptor::new(document.media_type(), digest, size);
    let (artifact_type, annotations) = match document.kind() {
        Kind::Manifest(manifest) => (
            Some(manifest.artifact_type().to_owned()),
            &manifest.annotations,
        ),
        Kind::Index(index) => (index.artifact_type.clone(), &index.annotations),
    };
    descriptor.artifact_type = artifact_type;
    descriptor.annotations = annotations.clone();
    descriptor
}
