//! Which manifests refer to which subject: a record for each pair, so that a push adds a file and
//! a listing reads one folder.

use std::path::PathBuf;

use super::{Depot, Repository, files};
use crate::oci::{Descriptor, Digest, Document, Kind};
use crate::registry::RegistryError;

const REFERRERS: &str = "_referrers";

impl Depot {
    /// The names of the records about a subject, in a fixed order; each is `algorithm-hex` of a
    /// referrer.
    pub(crate) fn referrer_names(
        &self,
        repository: &Repository,
        subject: &Digest,
    ) -> Result<Vec<String>, RegistryError> {
        let names = files::names(&self.record(repository, REFERRERS, subject))?;
        Ok(names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect())
    }

    /// The descriptor that one of these records holds; `None` if it is gone by now.
    pub(crate) fn referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        name: &str,
    ) -> Result<Option<Descriptor>, RegistryError> {
        let record = files::read(&self.record(repository, REFERRERS, subject).join(name))?;
        let descriptor: Option<Descriptor> =
            record.and_then(|text| serde_json::from_str(&text).ok());
        Ok(descriptor.filter(|referrer| self.has_manifest(repository, &referrer.digest)))
    }

    pub(super) fn write_referrer(
        &self,
        repository: &Repository,
        digest: &Digest,
        document: &Document,
    ) -> Result<(), RegistryError> {
        let Some(subject) = document.subject() else {
            return Ok(());
        };
        let descriptor = describe(document, digest);
        let record = serde_json::to_vec(&descriptor).expect("a descriptor has string keys");
        let path = self.referrer_record(repository, &subject.digest, digest);
        files::write(&self.scratch(), &path, &record)
    }

    pub(super) fn remove_referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        files::remove(&self.referrer_record(repository, subject, digest))
    }

    fn referrer_record(
        &self,
        repository: &Repository,
        subject: &Digest,
        digest: &Digest,
    ) -> PathBuf {
        let name = format!("{}-{}", digest.algorithm(), digest.hex());
        self.record(repository, REFERRERS, subject).join(name)
    }
}

/// A referrer as distribution-spec, "Listing Referrers", wants it described.
fn describe(document: &Document, digest: &Digest) -> Descriptor {
    let size = document.raw().len() as u64;
    let mut descriptor = Descriptor::new(document.media_type(), *digest, size);
    let (artifact_type, annotations) = match document.kind() {
        Kind::Manifest(manifest) => (Some(manifest.artifact_type()), &manifest.annotations),
        Kind::Index(index) => (index.artifact_type.as_deref(), &index.annotations),
    };
    descriptor.artifact_type = artifact_type.map(str::to_owned);
    descriptor.annotations = annotations.clone();
    descriptor
}
