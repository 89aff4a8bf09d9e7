//! Asks the places where credentials are kept, one after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::auth_file::{self, AuthFile};
use super::credential::Credential;
use super::error::CredentialError;
use super::helper::Helper;
use super::key;

/// Where credentials are looked for, in this order: those given for a registry, then each file
/// with the helpers that it names. A caller that has none is anonymous.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    given: BTreeMap<String, Credential>,
    files: Vec<PathBuf>,
    helper_folders: Vec<PathBuf>,
}

impl Credentials {
    /// Uses a credential for one registry, `host[:port]`, whatever the files say.
    pub fn give(mut self, registry: &str, credential: Credential) -> Self {
        self.given.insert(key::normal(registry), credential);
        self
    }

    /// Looks into a file of Docker or Podman, after those added before; it need not exist.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Looks for helper programs in these folders: the entries of `PATH`.
    pub fn helper_folders(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.helper_folders.extend(folders);
        self
    }

    /// The credential for a repository of a registry.
    pub(crate) async fn find(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        if let Some(credential) = self.given.get(&key::normal(registry)) {
            return Ok(Some(credential.clone()));
        }
        for path in &self.files {
            let Some(bytes) = auth_file::read(path).await? else {
                continue;
            };
            let file = AuthFile::parse(path, &bytes)?;
            let found = match file.helper_of(registry) {
                Some(name) => self.ask(path, name, registry).await?,
                None => match file.find(path, registry, repository)? {
                    Some(credential) => Some(credential),
                    None => match file.store() {
                        Some(name) => self.ask(path, name, registry).await?,
                        None => None,
                    },
                },
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The helper of a name.
    pub(crate) fn helper(&self, name: &str) -> Result<Helper, CredentialError> {
        Helper::new(name, &self.helper_folders)
    }

    /// Asks the helper that a file names. One that cannot be used is the file's fault.
    async fn ask(
        &self,
        file: &Path,
        name: &str,
        registry: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        let helper = self.helper(name).map_err(|error| CredentialError::File {
            path: file.to_owned(),
            reason: error.to_string(),
        })?;
        helper.get(&key::written(registry)).await
    }
}
