//! Docker's `config.json` and Podman's `auth.json`: one form, of which the members that matter
//! here are read and all others are kept.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use super::credential::Credential;
use super::error::CredentialError;
use super::key;
use crate::transport::secret::Secret;

/// Larger than any such file.
const MAX_FILE_SIZE: u64 = 4 * 1024 * 1024;

/// Base64 with or without padding: both are found in the field.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The members of the file that say who we are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AuthFile {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
}

impl AuthFile {
    /// Parses the file; its path is for messages.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CredentialError> {
        // The message of the parser could quote a secret.
        serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            faulty(path, format!("not valid at line {line} column {column}"))
        })
    }

    /// The helper that keeps the credentials of a registry and of no other.
    pub(crate) fn helper_of(&self, registry: &str) -> Option<&str> {
        let wanted = key::normal(registry);
        let mut helpers = self.cred_helpers.iter();
        helpers
            .find(|(key, _)| key::normal(key) == wanted)
            .map(|(_, name)| name.as_str())
            .filter(|name| !name.is_empty())
    }

    /// The helper that keeps the credentials of all other registries.
    pub(crate) fn store(&self) -> Option<&str> {
        self.creds_store.as_deref().filter(|name| !name.is_empty())
    }

    /// The credential that the file itself holds, under the longest key that fits.
    pub(crate) fn find(
        &self,
        path: &Path,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        for candidate in key::candidates(registry, repository) {
            for (key, entry) in &self.auths {
                if key::normal(key) == candidate
                    && let Some(credential) = entry.credential(path, key)?
                {
                    return Ok(Some(credential));
                }
            }
        }
        Ok(None)
    }
}

impl Entry {
    fn credential(&self, path: &Path, key: &str) -> Result<Option<Credential>, CredentialError> {
        let given = |text: &Option<Secret>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(token)));
        }
        if let Some(auth) = given(&self.auth) {
            return decode(&auth)
                .map(Some)
                .map_err(|reason| faulty(path, format!("`auth` of `{key}` {reason}")));
        }
        let username = self.username.as_deref().unwrap_or_default();
        Ok(given(&self.password).map(|password| Credential::password(username, password)))
    }
}

/// `base64(user:password)`.
fn decode(auth: &Secret) -> Result<Credential, &'static str> {
    let bytes = BASE64.decode(auth.expose().trim());
    let bytes = Zeroizing::new(bytes.map_err(|_| "is not base64")?);
    let text = std::str::from_utf8(&bytes).map_err(|_| "is not text")?;
    let (username, password) = text
        .split_once(':')
        .ok_or("has no colon after the user name")?;
    // Docker pads with zeros.
    let password = password.trim_end_matches('\0');
    Ok(Credential::password(username, password))
}

/// Reads a file if it is there.
pub(crate) async fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
    let failed = |cause| CredentialError::Io {
        path: path.to_owned(),
        cause,
    };
    let file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = file.take(MAX_FILE_SIZE + 1).read_to_end(&mut bytes).await;
    read.map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(faulty(path, format!("larger than {MAX_FILE_SIZE} bytes")));
    }
    Ok(Some(bytes))
}

pub(crate) fn faulty(path: &Path, reason: String) -> CredentialError {
    CredentialError::File {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(json: &str, registry: &str, repository: &str) -> Result<Option<Credential>, String> {
        let path = Path::new("c.json");
        let file = AuthFile::parse(path, json.as_bytes()).map_err(|error| error.to_string())?;
        file.find(path, registry, repository)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn entries_of_every_form_are_read() {
        let json = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "dTpw"},
            "h:5000": {"username": "u", "password": "p:q"},
            "t.example": {"auth": "dTpw", "identitytoken": "T"},
            "nopad.example": {"auth": "dTpwcQ"},
            "empty.example": {}
        }, "HttpHeaders": {"x": "y"}, "credsStore": ""}"#;
        let up = Credential::password("u", "p");
        for (registry, expected) in [
            ("docker.io", Some(up)),
            ("h:5000", Some(Credential::password("u", "p:q"))),
            ("t.example", Some(Credential::IdentityToken("T".into()))),
            ("nopad.example", Some(Credential::password("u", "pq"))),
            ("empty.example", None),
            ("h:5001", None),
            ("h", None),
        ] {
            assert_eq!(find(json, registry, "a"), Ok(expected), "{registry}");
        }
    }

    #[test]
    fn longest_repository_key_wins() {
        let json = r#"{"auths": {
            "h": {"username": "host", "password": "p"},
            "h/team": {"username": "team", "password": "p"},
            "h/team/model": {"username": "model", "password": "p"}
        }}"#;
        for (repository, user) in [
            ("team/model", "model"),
            ("team/model/x", "model"),
            ("team/models", "team"),
            ("teams", "host"),
        ] {
            let found = find(json, "h", repository);
            assert_eq!(
                found,
                Ok(Some(Credential::password(user, "p"))),
                "{repository}"
            );
        }
    }

    /// Security row A27.
    #[test]
    fn faulty_files_are_named_without_their_secrets() {
        for (json, message) in [
            (
                r#"{"auths":{"h":{"auth":"!canary"}}}"#,
                "`auth` of `h` is not base64",
            ),
            (
                r#"{"auths":{"h":{"auth":"Y2FuYXJ5"}}}"#,
                "`auth` of `h` has no colon after the user name",
            ),
            (r#"{"auths":"canary"}"#, "not valid at line 1 column 17"),
            ("canary", "not valid at line 1 column 1"),
        ] {
            assert_eq!(
                find(json, "h", "a"),
                Err(format!("credentials in `c.json`: {message}"))
            );
        }
    }
}
