//! Entries: the lines of a layout's `index.json`, whether the layout is a folder or a tar.
//!
//! bytes → typed descriptors, of which the name is an annotation. Digests are parsed here, so that
//! a hostile index cannot name a path.

use std::fmt;
use std::path::Path;

use super::StoreError;
use crate::oci::{Descriptor, Digest, Document, Index, Kind, Reference, annotation, json};

/// A line of a layout's `index.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name; a manifest without one is found by its digest, or by its subject.
    pub name: Option<String>,
    /// The manifest.
    pub manifest: Descriptor,
}

impl From<Descriptor> for Entry {
    fn from(manifest: Descriptor) -> Self {
        Self {
            name: name_of(&manifest).map(str::to_owned),
            manifest,
        }
    }
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

/// Parses the bytes of an index.
pub(super) fn parse_index(bytes: &[u8]) -> Result<Index, String> {
    let index: Index = json::from_slice(bytes).map_err(|error| error.to_string())?;
    if index.schema_version != 2 {
        return Err(format!(
            "`schemaVersion` is {}, expected 2",
            index.schema_version
        ));
    }
    Ok(index)
}

/// The name of an entry.
pub(super) fn name_of(entry: &Descriptor) -> Option<&str> {
    entry
        .annotations
        .get(annotation::REF_NAME)
        .map(String::as_str)
}

/// An entry without its name. A manifest's own annotations may hold one that nobody gave it.
pub(super) fn unnamed(mut entry: Descriptor) -> Descriptor {
    entry.annotations.remove(annotation::REF_NAME);
    entry
}

/// The manifest of the first entry with a name.
pub(super) fn named(
    entries: Vec<Entry>,
    name: &str,
    place: &Path,
) -> Result<Descriptor, StoreError> {
    let mut entries = entries.into_iter();
    let found = entries.find(|entry| entry.name.as_deref() == Some(name));
    found
        .map(|entry| entry.manifest)
        .ok_or_else(|| name_not_found(name, place))
}

/// The manifest of the only entry, or of the only one with a name.
pub(super) fn only(mut entries: Vec<Entry>, place: &Path) -> Result<Descriptor, StoreError> {
    if entries.len() > 1 && entries.iter().any(|entry| entry.name.is_some()) {
        entries.retain(|entry| entry.name.is_some());
    }
    let count = entries.len();
    match entries.pop() {
        Some(entry) if count == 1 => Ok(entry.manifest),
        Some(_) => Err(StoreError::Ambiguous {
            place: place.display().to_string(),
            count,
        }),
        None => Err(name_not_found("any entry", place)),
    }
}

pub(super) fn name_not_found(name: &str, place: &Path) -> StoreError {
    StoreError::NameNotFound {
        name: name.to_owned(),
        place: place.display().to_string(),
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
