//! Errors of this stage.

use crate::ErrorKind;

/// Why files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MaterialiseError {
    /// A local file could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl MaterialiseError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
        }
    }
}
