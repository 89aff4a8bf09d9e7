//! Errors of this stage.

use crate::ErrorKind;

/// Why a model's files or its manifest were refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The model manifest was refused.
    #[error(transparent)]
    Manifest(#[from] super::Violation),
    /// The files of a model cannot be packed as they are.
    #[error(transparent)]
    Source(#[from] super::source::SourceError),
    /// An artifact without a model manifest is not a list of files.
    #[error(transparent)]
    Foreign(#[from] super::ForeignError),
}

impl ModelError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Manifest(violation) => violation.kind(),
            Self::Source(error) => error.kind(),
            Self::Foreign(error) => error.kind(),
        }
    }
}
