//! Errors of credentials.

use std::io;
use std::path::PathBuf;

use crate::ErrorKind;

/// Why credentials could not be found out, stored or erased. No message holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file of credentials could not be read or written.
    #[error("credentials in `{}`: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file of credentials is not what it must be.
    #[error("credentials in `{}`: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file names a helper that can be none.
    #[error("invalid credential helper {name:?}: a name is letters, digits, `-`, `_` and `.`")]
    HelperName {
        /// The name.
        name: String,
    },
    /// The program of a helper is not on the search path.
    #[error("credential helper `docker-credential-{name}` was not found")]
    NoHelper {
        /// The name.
        name: String,
    },
    /// A helper failed.
    #[error("credential helper `docker-credential-{name}` {reason}")]
    Helper {
        /// The name.
        name: String,
        /// How.
        reason: String,
    },
}

impl CredentialError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
            Self::File { .. } | Self::HelperName { .. } => ErrorKind::Usage,
            Self::NoHelper { .. } | Self::Helper { .. } => ErrorKind::Failed,
        }
    }
}
