//! Errors of this stage.

use std::io;
use std::path::{Path, PathBuf};

use crate::ErrorKind;
use crate::store::StoreError;

/// Why the embedded registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A local file could not be read or written.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Another process serves the same store.
    #[error(
        "`{}` is served by another registry process; stop that one, or serve another folder",
        path.display()
    )]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// The address of the listener could not be had.
    #[error("the registry's listener has no address: {0}")]
    Listen(io::Error),
    /// The store's layout could not be opened or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegistryError {
    /// Names the file that an I/O error is about.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io {
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether the disk, or the quota on it, is full.
    pub(super) fn is_full(&self) -> bool {
        let (Self::Io { cause, .. } | Self::Store(StoreError::Io { cause, .. })) = self else {
            return false;
        };
        matches!(
            cause.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::Listen(_) => ErrorKind::Io,
            Self::Busy { .. } => ErrorKind::Failed,
            Self::Store(error) => error.kind(),
        }
    }
}
