//! What happens when a store is opened: the index and the records learn from each other.
//!
//! An entry that another program made, such as `pack -t demo/mlp:v1`, becomes a tag of a repository
//! with all that it leads to; a record whose entry was never written gets it now.

use super::catalogue::{Change, name_of};
use super::manifests::MANIFESTS;
use super::{Depot, Repository};
use crate::oci::{Descriptor, Digest, Document, Kind, Reference, Tag, media_type};
use crate::registry::RegistryError;

/// How deep an index may be nested; those of real images are one level deep.
const MAX_DEPTH: usize = 4;

impl Depot {
    /// Makes repositories of the entries that have a repository's name and no record yet.
    pub(super) fn adopt_entries(&self) -> Result<(), RegistryError> {
        for entry in self.layout.entries()? {
            let Some((repository, tag)) = name_of(&entry.manifest).and_then(parse_name) else {
                continue;
            };
            if self.resolve_tag(&repository, &tag)?.is_some() {
                continue;
            }
            let digest = entry.manifest.digest;
            if self.adopt(&repository, &entry.manifest, MAX_DEPTH)? {
                self.write_tag(&repository, &tag, &digest)?;
            } else {
                tracing::warn!(
                    "`{repository}:{tag}` is not served: its manifest {digest} is broken"
                );
            }
        }
        Ok(())
    }

    /// Gives a repository a manifest that is in the layout, and what it leads to as far as it is
    /// there; says whether the manifest could be read.
    fn adopt(
        &self,
        repository: &Repository,
        manifest: &Descriptor,
        depth: usize,
    ) -> Result<bool, RegistryError> {
        let (digest, media_type) = (manifest.digest, manifest.media_type.as_str());
        let Ok(document) = self.layout.read_document(&digest, Some(media_type)) else {
            return Ok(false);
        };
        let children = match document.kind() {
            Kind::Manifest(manifest) => manifest.blobs().collect::<Vec<_>>(),
            Kind::Index(index) => index.manifests.iter().collect(),
        };
        for child in children {
            if media_type::is_manifest(&child.media_type) && depth > 0 {
                self.adopt(repository, child, depth - 1)?;
            } else if self.has_content(&child.digest) {
                self.link_blob(repository, &child.digest)?;
            }
        }
        self.write_manifest(repository, &digest, &document)?;
        Ok(true)
    }

    /// Lists every manifest and tag that there is a record of, and takes out entries of manifests
    /// whose delete was cut short.
    pub(super) fn list_records(&self) -> Result<(), RegistryError> {
        for entry in self.layout.entries()? {
            if let Some((repository, digest)) = name_of(&entry.manifest).and_then(parse_bare_name)
                && self.knows(&repository)
                && !self.has_manifest(&repository, &digest)
            {
                self.announce(&repository, [Change::Delete(digest)]);
            }
        }
        for repository in self.repositories()? {
            for digest in self.recorded(&repository, MANIFESTS)? {
                if let Some(manifest) = self.describe_manifest(&repository, &digest)? {
                    self.announce(&repository, [Change::Manifest(manifest)]);
                }
            }
            for tag in self.tags(&repository)? {
                let digest = self.resolve_tag(&repository, &tag)?;
                let manifest = digest.map(|digest| self.describe_manifest(&repository, &digest));
                if let Some(manifest) = manifest.transpose()?.flatten() {
                    self.announce(&repository, [Change::Tag(tag, manifest)]);
                }
            }
        }
        self.publish()
    }

    /// Describes a manifest as its entry in the index does.
    fn describe_manifest(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Descriptor>, RegistryError> {
        let Some(stored) = self.open_manifest(repository, digest)? else {
            return Ok(None);
        };
        let document = Document::parse(stored.read()?, Some(&stored.media_type));
        Ok(document.ok().map(|document| describe(&document, digest)))
    }
}

/// How the index describes a manifest.
pub(super) fn describe(document: &Document, digest: &Digest) -> Descriptor {
    let mut descriptor = document.descriptor();
    descriptor.digest = *digest;
    descriptor
}

/// The repository and tag that an entry `<repository>:<tag>` stands for. An entry with a registry
/// in its name is the copy of something elsewhere.
fn parse_name(name: &str) -> Option<(Repository, Tag)> {
    let reference = parse_local(name)?;
    let repository = Repository::parse(reference.repository())?;
    let tag = reference.tag().filter(|_| reference.digest().is_none())?;
    Some((repository, tag.clone()))
}

/// The repository and digest that an entry `<repository>@<digest>` stands for.
fn parse_bare_name(name: &str) -> Option<(Repository, Digest)> {
    let reference = parse_local(name)?;
    let repository = Repository::parse(reference.repository())?;
    let digest = reference.digest().filter(|_| reference.tag().is_none())?;
    Some((repository, *digest))
}

fn parse_local(name: &str) -> Option<Reference> {
    let reference: Reference = name.parse().ok()?;
    reference.registry().is_none().then_some(reference)
}
