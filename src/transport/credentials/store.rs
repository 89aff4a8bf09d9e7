//! Stores and erases credentials, as `docker login` and `docker logout` do: with the helper that
//! the file names for the registry, else in the file itself.
//!
//! The file is replaced, never rewritten in place, is readable by its owner only, and keeps every
//! member that is not ours.

use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::auth_file::{self, AuthFile, faulty};
use super::credential::Credential;
use super::error::CredentialError;
use super::key;
use super::sources::Credentials;

/// Where a credential went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredIn {
    /// Into the file, readable for whoever reads the file.
    File(PathBuf),
    /// To the helper of this name.
    Helper(String),
}

impl Credentials {
    /// Stores a credential for a registry in a file, or with the helper that the file names.
    pub async fn store(
        &self,
        path: &Path,
        registry: &str,
        credential: &Credential,
    ) -> Result<StoredIn, CredentialError> {
        let mut document = Document::read(path).await?;
        let entry = match document.helper(registry) {
            Some(name) => {
                self.helper(&name)?
                    .store(&key::written(registry), credential)
                    .await?;
                document.set(registry, json!({}))?;
                document.write()?;
                return Ok(StoredIn::Helper(name));
            }
            None => entry(credential),
        };
        document.set(registry, entry)?;
        document.write()?;
        Ok(StoredIn::File(path.to_owned()))
    }

    /// Erases what is stored for a registry in a file and with the helper that the file names;
    /// says whether there was something.
    pub async fn erase(&self, path: &Path, registry: &str) -> Result<bool, CredentialError> {
        let mut document = Document::read(path).await?;
        let with_helper = match document.helper(registry) {
            Some(name) => self.helper(&name)?.erase(&key::written(registry)).await?,
            None => false,
        };
        let in_file = document.remove(registry)?;
        if in_file {
            document.write()?;
        }
        Ok(with_helper || in_file)
    }
}

fn entry(credential: &Credential) -> Value {
    match credential {
        Credential::Password { username, password } => {
            let pair = Zeroizing::new(format!("{username}:{}", password.expose()));
            json!({ "auth": STANDARD.encode(pair.as_bytes()) })
        }
        Credential::IdentityToken(token) => json!({ "identitytoken": token.expose() }),
    }
}

/// The file as it is, with members that only others know.
struct Document {
    path: PathBuf,
    members: Map<String, Value>,
    typed: AuthFile,
}

impl Document {
    async fn read(path: &Path) -> Result<Self, CredentialError> {
        // A link stays one: what it leads to is replaced.
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let bytes = auth_file::read(&path).await?.unwrap_or_default();
        let bytes = if bytes.is_empty() {
            b"{}"
        } else {
            bytes.as_slice()
        };
        Ok(Self {
            typed: AuthFile::parse(&path, bytes)?,
            members: serde_json::from_slice(bytes)
                .map_err(|_| faulty(&path, "not a JSON object".to_owned()))?,
            path,
        })
    }

    fn helper(&self, registry: &str) -> Option<String> {
        let helper = self.typed.helper_of(registry).or(self.typed.store());
        helper.map(str::to_owned)
    }

    fn entries(&mut self) -> Result<&mut Map<String, Value>, CredentialError> {
        let auths = self.members.entry("auths").or_insert_with(|| json!({}));
        match auths {
            Value::Object(entries) => Ok(entries),
            _ => Err(faulty(&self.path, "`auths` is not an object".to_owned())),
        }
    }

    fn set(&mut self, registry: &str, entry: Value) -> Result<(), CredentialError> {
        self.remove(registry)?;
        self.entries()?.insert(key::written(registry), entry);
        Ok(())
    }

    /// Removes every spelling of a registry's key.
    fn remove(&mut self, registry: &str) -> Result<bool, CredentialError> {
        let wanted = key::normal(registry);
        let entries = self.entries()?;
        let before = entries.len();
        entries.retain(|key, _| key::normal(key) != wanted);
        Ok(entries.len() != before)
    }

    fn write(&self) -> Result<(), CredentialError> {
        let text = Zeroizing::new(format!("{:#}\n", Value::Object(self.members.clone())));
        self.replace(text.as_bytes())
            .map_err(|cause| CredentialError::Io {
                path: self.path.clone(),
                cause,
            })
    }

    /// Temporary files are made for their owner only (mode 0600).
    fn replace(&self, text: &[u8]) -> std::io::Result<()> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
