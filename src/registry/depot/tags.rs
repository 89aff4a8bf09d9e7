//! Tags of a repository.

use super::{Depot, Repository, files};
use crate::oci::{Digest, Tag};
use crate::registry::RegistryError;

const TAGS: &str = "_tags";

impl Depot {
    /// All tags of a repository, in the order of their bytes.
    pub(crate) fn tags(&self, repository: &Repository) -> Result<Vec<Tag>, RegistryError> {
        let names = files::names(&self.records(repository, TAGS))?;
        Ok(names
            .into_iter()
            .filter_map(|name| name.to_str()?.parse().ok())
            .collect())
    }

    /// The digest that a tag leads to.
    pub(crate) fn resolve_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, RegistryError> {
        let record = files::read(&self.records(repository, TAGS).join(tag.as_str()))?;
        Ok(record.and_then(|text| text.parse().ok()))
    }

    pub(super) fn write_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        let record = self.records(repository, TAGS).join(tag.as_str());
        files::write(&self.scratch(), &record, digest.to_string().as_bytes())
    }

    pub(super) fn remove_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<bool, RegistryError> {
        files::remove(&self.records(repository, TAGS).join(tag.as_str()))
    }
}
