//! Files with their digests: what a statement signs.

use std::collections::HashSet;

use super::{OmsError, ResourceName};
use crate::model::{MANIFEST_PATH, ModelManifest, Sha256};
use crate::oci::{Algorithm, Hasher};

/// How many files a signature may cover.
pub const MAX_RESOURCES: usize = 1_000_000;

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// The file.
    pub name: ResourceName,
    /// The SHA-256 of its content.
    pub sha256: Sha256,
}

/// At least one file, each named once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources(Vec<Resource>);

impl Resources {
    /// Takes files in any order, and puts them in that of the specification: by the code points of
    /// their names, which is the order of the bytes (OMS v1.0, section 6.4).
    pub fn sorted(mut list: Vec<Resource>) -> Result<Self, OmsError> {
        list.sort();
        Self::listed(list)
    }

    /// Takes files in the order in which a signer listed them, on which the root depends: model
    /// signing in Python sorts by the components of paths.
    pub(super) fn listed(list: Vec<Resource>) -> Result<Self, OmsError> {
        if list.is_empty() {
            return Err(OmsError::Empty);
        }
        if list.len() > MAX_RESOURCES {
            let count = list.len();
            return Err(OmsError::statement(format!(
                "it lists {count} files, the limit is {MAX_RESOURCES}"
            )));
        }
        let mut seen = HashSet::with_capacity(list.len());
        if let Some(twice) = list.iter().find(|resource| !seen.insert(&resource.name)) {
            let name = &twice.name;
            return Err(OmsError::statement(format!("it lists `{name}` twice")));
        }
        Ok(Self(list))
    }

    /// The files of a model, and its model manifest with the digest of that: what a signature layer
    /// covers. Nothing is read.
    pub fn of_model(model: &ModelManifest, manifest: Sha256) -> Result<Self, OmsError> {
        let files = model
            .files
            .iter()
            .map(|file| (file.path.as_str(), file.sha256));
        let list = files
            .chain([(MANIFEST_PATH, manifest)])
            .map(|(name, sha256)| {
                let name = name.parse()?;
                Ok(Resource { name, sha256 })
            });
        Self::sorted(list.collect::<Result<_, OmsError>>()?)
    }

    /// The files, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Resource> {
        self.0.iter()
    }

    /// The one digest of all: the SHA-256 of the digests of the files, one after the other, in
    /// order (OMS v1.0, section 6.5.1).
    pub fn root(&self) -> Sha256 {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        for resource in &self.0 {
            hasher.update(&resource.sha256.0);
        }
        let root = Sha256::try_from(hasher.finish());
        root.expect("the hasher is one of SHA-256")
    }
}
