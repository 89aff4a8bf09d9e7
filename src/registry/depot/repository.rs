//! The name of a repository, as a type, and which repositories there are.

use std::path::Path;
use std::{fmt, fs};

use super::{Depot, files};
use crate::oci::Reference;
use crate::registry::RegistryError;

/// A name that has the grammar of distribution-spec: it can neither leave the folder of
/// repositories nor clash with the folders inside one, which begin with `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Repository(String);

impl Repository {
    /// Reads a name; `None` if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // A host in front, or else a first component with a dot would be taken for one.
        let reference: Reference = format!("localhost/{text}").parse().ok()?;
        (reference.repository() == text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Depot {
    /// Whether anything was ever pushed to a repository.
    pub(crate) fn knows(&self, repository: &Repository) -> bool {
        ["_blobs", "_manifests"]
            .iter()
            .any(|kind| self.records(repository, kind).is_dir())
    }

    /// Every repository that anything was ever pushed to.
    pub(crate) fn repositories(&self) -> Result<Vec<Repository>, RegistryError> {
        let root = self.repositories_folder();
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for name in files::names(&folder)? {
                let path = folder.join(&name);
                if name.as_encoded_bytes().starts_with(b"_") {
                    found.extend(repository_of(&root, &folder));
                } else if fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir()) {
                    folders.push(path);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// The repository whose records a folder holds.
fn repository_of(root: &Path, folder: &Path) -> Option<Repository> {
    Repository::parse(folder.strip_prefix(root).ok()?.to_str()?)
}
