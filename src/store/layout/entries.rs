//! The entries of a layout: which names lead to which manifests, and which manifests refer to others.

use super::{Layout, index_file};
use crate::Result;
use crate::oci::{Descriptor, Digest, annotation, media_type};
use crate::store::StoreError;
use crate::store::entry::{
    Entry, describe_referrer, name_not_found, name_of, named, only, unnamed,
};

impl Layout {
    /// Lists the entries in the order of `index.json`.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let index = index_file::read(self.root())?;
        Ok(index.manifests.into_iter().map(Entry::from).collect())
    }

    /// Finds the manifest that a name leads to; of several entries with one name the first counts.
    pub fn resolve_name(&self, name: &str) -> Result<Descriptor, StoreError> {
        named(self.entries()?, name, self.root())
    }

    /// Finds the manifest of a layout that holds only one, as `oci:DIR` without a tag means it:
    /// the only entry, or the only one with a name beside referrers, which have none.
    pub fn resolve_only(&self) -> Result<Descriptor, StoreError> {
        only(self.entries()?, self.root())
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
            entries.retain(|other| match name_of(other) {
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
                let named = name_of(entry) == Some(name);
                if named && removed.is_none() {
                    removed = Some(entry.clone());
                }
                !named
            });
            removed
        })?;
        removed.ok_or_else(|| name_not_found(name, self.root()))
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

    /// Changes the list of entries at will: names are annotations `org.opencontainers.image.ref.name`.
    /// Nothing is checked, for a registry lists what it accepted, with or without all its blobs.
    pub(crate) fn edit_entries<T>(
        &self,
        change: impl FnOnce(&mut Vec<Descriptor>) -> T,
    ) -> Result<T, StoreError> {
        index_file::edit(self.root(), change)
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

    fn list_unnamed(&self, manifest: Descriptor) -> Result<(), StoreError> {
        let entry = unnamed(manifest);
        index_file::edit(self.root(), |entries| {
            if !entries.iter().any(|other| other.digest == entry.digest) {
                entries.push(entry);
            }
        })
    }
}
