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
    /// The file of users cannot be used.
    #[error("the users in `{}` cannot be used: {reason}", path.display())]
    Users {
        /// The file.
        path: PathBuf,
        /// Why; it never shows a hash.
        reason: String,
    },
    /// The certificate or its key cannot be used.
    #[error("`{}` cannot be used for TLS: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// There would be more than there may be.
    #[error(
        "the quota of {} is {limit} bytes: {used} are in use, and {asked} do not fit; delete what is \
         no longer needed, which frees its space at the next garbage collection, or raise the quota",
        whose(repository.as_deref())
    )]
    Quota {
        /// The repository whose quota it is; that of the whole registry where there is none.
        repository: Option<String>,
        /// The quota in bytes.
        limit: u64,
        /// Bytes that are stored or being received, without those asked for.
        used: u64,
        /// Bytes asked for.
        asked: u64,
    },
    /// What is needed cannot be known, so nothing was removed.
    #[error("no garbage was collected: {0}")]
    Collect(Box<crate::Error>),
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

    /// Says of an error that it kept garbage from being collected.
    pub(super) fn uncollected(cause: crate::Error) -> Self {
        Self::Collect(Box::new(cause))
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
            Self::Quota { .. } => ErrorKind::Denied,
            Self::Collect(cause) => cause.kind(),
            Self::Users { .. } | Self::Tls { .. } => ErrorKind::Usage,
            Self::Store(error) => error.kind(),
        }
    }
}

/// How a quota's owner is named.
fn whose(repository: Option<&str>) -> String {
    match repository {
        Some(name) => format!("repository `{name}`"),
        None => "the registry".to_owned(),
    }
}
