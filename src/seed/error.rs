//! Errors of this stage. There are few: what is wrong with a seed only means that it is none.

use std::io;
use std::path::PathBuf;

use crate::ErrorKind;
use crate::model::ModelError;

/// Why a folder is no seed.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Its model manifest cannot be read.
    #[error("`{}`: no model manifest can be read: {cause}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Its model manifest breaks a rule.
    #[error("`{}`: its model manifest is refused: {cause}", path.display())]
    Invalid {
        /// The folder.
        path: PathBuf,
        /// Why.
        cause: ModelError,
    },
}

impl SeedError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Unreadable { .. } => ErrorKind::Io,
            Self::Invalid { cause, .. } => cause.kind(),
        }
    }
}
