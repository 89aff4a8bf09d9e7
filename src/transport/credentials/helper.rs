//! Docker's credential helpers: programs `docker-credential-<name>` that are asked over standard
//! input and answer over standard output (docker/docker-credential-helpers, "Development").
//!
//! The name comes from a file and the program from the caller's search path; relative folders of
//! the path are left out, so that nothing in the working directory is ever run.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::credential::Credential;
use super::error::CredentialError;
use crate::transport::failure::cleaned;
use crate::transport::secret::Secret;

/// How long a helper may take. Some ask the user to unlock something.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The longest answer that is read.
const MAX_ANSWER: u64 = 1024 * 1024;

/// The user name of an identity token.
const TOKEN_USER: &str = "<token>";

/// A helper that was found.
#[derive(Debug)]
pub(crate) struct Helper {
    name: String,
    program: PathBuf,
    time_limit: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: Secret,
}

impl Helper {
    /// Finds a helper by its name in some folders.
    pub(crate) fn new(name: &str, folders: &[PathBuf]) -> Result<Self, CredentialError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 100 || !name.bytes().all(allowed) {
            let name = name.chars().take(100).collect();
            return Err(CredentialError::HelperName { name });
        }
        let file = format!("docker-credential-{name}");
        let mut programs = folders
            .iter()
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&file));
        match programs.find(|program| program.is_file()) {
            Some(program) => Ok(Self {
                name: name.to_owned(),
                program,
                time_limit: TIME_LIMIT,
            }),
            None => Err(CredentialError::NoHelper {
                name: name.to_owned(),
            }),
        }
    }

    /// The credential that is kept under a key, if there is one.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Credential>, CredentialError> {
        let Some(answer) = self.run("get", key.as_bytes()).await? else {
            return Ok(None);
        };
        // The parser's message could quote the secret.
        let found: Found = serde_json::from_slice(&answer)
            .map_err(|_| self.failed("answered with something that is not its JSON"))?;
        Ok(Some(if found.username == TOKEN_USER {
            Credential::IdentityToken(found.secret)
        } else {
            Credential::password(found.username, found.secret)
        }))
    }

    /// Keeps a credential under a key.
    pub(crate) async fn store(
        &self,
        key: &str,
        credential: &Credential,
    ) -> Result<(), CredentialError> {
        let (username, secret) = match credential {
            Credential::Password { username, password } => (username.as_str(), password),
            Credential::IdentityToken(token) => (TOKEN_USER, token),
        };
        let document = serde_json::json!({
            "ServerURL": key, "Username": username, "Secret": secret.expose(),
        });
        let document = Zeroizing::new(document.to_string());
        self.run("store", document.as_bytes()).await.map(drop)
    }

    /// Forgets what is kept under a key; says whether there was something.
    pub(crate) async fn erase(&self, key: &str) -> Result<bool, CredentialError> {
        self.run("erase", key.as_bytes())
            .await
            .map(|answer| answer.is_some())
    }

    /// Runs the helper; nothing if it knows no such key.
    async fn run(
        &self,
        verb: &str,
        input: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
        let mut child = Command::new(&self.program)
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.failed(&format!("cannot be run: {error}")))?;
        match tokio::time::timeout(self.time_limit, self.converse(&mut child, input)).await {
            Ok(result) => result,
            Err(_) => {
                let seconds = self.time_limit.as_secs();
                Err(self.failed(&format!("did not answer within {seconds} s")))
            }
        }
    }

    async fn converse(
        &self,
        child: &mut Child,
        input: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialError> {
        let mut stdin = child.stdin.take().expect("it was asked for");
        let stdout = child.stdout.take().expect("it was asked for");
        // A helper that does not read what it is asked will say why, or answer nonsense.
        let _ = stdin.write_all(input).await;
        drop(stdin);
        let mut answer = Zeroizing::new(Vec::new());
        let read = stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer).await;
        read.map_err(|error| self.failed(&format!("cannot be read: {error}")))?;
        if answer.len() as u64 > MAX_ANSWER {
            return Err(self.failed(&format!("answered with more than {MAX_ANSWER} bytes")));
        }
        let status = child.wait().await;
        let status =
            status.map_err(|error| self.failed(&format!("cannot be waited for: {error}")))?;
        if status.success() {
            return Ok(Some(answer));
        }
        let said = cleaned(&String::from_utf8_lossy(&answer));
        if is_not_found(&said) {
            return Ok(None);
        }
        Err(self.failed(&format!("failed ({status}): {said}")))
    }

    fn failed(&self, reason: &str) -> CredentialError {
        CredentialError::Helper {
            name: self.name.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// How helpers say that they have nothing: there is no status for it, only these words.
fn is_not_found(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    said.contains("credentials not found") || said.contains("could not be found in the keychain")
}

#[cfg(test)]
mod tests;
