//! Why a lock file does not hold, or cannot be used.

use std::io;
use std::path::PathBuf;

use super::Name;
use crate::ErrorKind;
use crate::oci::{Digest, Reference};

/// Why a lock file does not hold, or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("cannot use `{}`: {source}", path.display())]
    File {
        /// The lock file, or its folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than any that is read.
    #[error("the lock file is larger than {} KiB", super::MAX_LOCK_SIZE >> 10)]
    TooLarge,
    /// It is not TOML, or has members that no lock file has.
    #[error("the lock file is malformed: {0}")]
    Malformed(String),
    /// An entry says something that cannot be meant.
    #[error("entry `{name}` of the lock file: {reason}")]
    Entry {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What was asked for is not locked.
    #[error("`{0}` is not in the lock file (use modelctl lock)")]
    NotLocked(String),
    /// A tag leads to something else than when it was locked.
    #[error("tag {tag} moved: locked {locked} registry has {found} (use modelctl lock --update)")]
    Moved {
        /// The tag.
        tag: String,
        /// What it led to.
        locked: Digest,
        /// What it leads to.
        found: Digest,
    },
    /// Another digest was asked for than those that are locked.
    #[error("`{reference}` is not what is locked: entry `{name}` has {locked}")]
    OtherDigest {
        /// What was asked for.
        reference: Reference,
        /// An entry of the same repository.
        name: Name,
        /// What it locks.
        locked: Digest,
    },
    /// The name is taken.
    #[error("`{name}` is locked for `{reference}` already (give another name with --name)")]
    Taken {
        /// The name.
        name: Name,
        /// What it stands for.
        reference: Reference,
    },
    /// An entry would no longer say who had signed.
    #[error(
        "entry `{name}` was locked with a verified signer: give --key or --policy to verify it again"
    )]
    Unverified {
        /// The entry.
        name: Name,
    },
}

impl LockError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::File { .. } => ErrorKind::Io,
            Self::Taken { .. } | Self::Unverified { .. } => ErrorKind::Usage,
            // What a lock does not hold for is not used.
            Self::TooLarge
            | Self::Malformed(_)
            | Self::Entry { .. }
            | Self::NotLocked(_)
            | Self::Moved { .. }
            | Self::OtherDigest { .. } => ErrorKind::Mismatch,
        }
    }
}
