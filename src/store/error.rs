//! Errors of this stage, and how they travel through readers.

use std::io;
use std::path::{Path, PathBuf};

use super::size::Size;
use crate::oci::{Descriptor, Digest};
use crate::{Error, ErrorKind};

/// Why a local store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A local file could not be read or written.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// What is to be written does not fit.
    #[error(
        "needs {} more in `{}`: {} are to be written, {} are free",
        Size(*missing),
        path.display(),
        Size(*needed),
        Size(*available)
    )]
    Space {
        /// A file or folder on the file system.
        path: PathBuf,
        /// How many bytes are to be written.
        needed: u64,
        /// How many bytes are free.
        available: u64,
        /// How many bytes are missing.
        missing: u64,
    },
    /// The content of a blob could not be read to its end.
    #[error("blob `{blob}`: reading its content failed: {cause}")]
    Read {
        /// The blob.
        blob: Digest,
        /// Why.
        cause: io::Error,
    },
    /// A blob is shorter or longer than its descriptor says.
    #[error("blob `{blob}`: got {got} bytes, expected {expected}")]
    Size {
        /// The blob.
        blob: Digest,
        /// How many bytes were seen; reading stops at the first one too many.
        got: u64,
        /// How many bytes the descriptor says.
        expected: u64,
    },
    /// A blob has the right length and the wrong content.
    #[error("blob `{blob}`: got content with digest `{got}`")]
    Mismatch {
        /// The blob, named by the digest that was expected.
        blob: Digest,
        /// The digest of what was read.
        got: Digest,
    },
    /// A document is larger, or leads to more, than is followed here.
    #[error("blob `{blob}`: {got} {what} are more than the limit of {limit}")]
    Limit {
        /// The blob.
        blob: Digest,
        /// What there is too much of.
        what: &'static str,
        /// How much there is, as far as it was counted.
        got: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A part of a blob was asked for that it does not have.
    #[error("blob `{blob}`: range {start}..{end} is not inside its {size} bytes")]
    Range {
        /// The blob.
        blob: Digest,
        /// The first byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
        /// The length of the blob in bytes.
        size: u64,
    },
    /// A blob is not in the store.
    #[error("blob `{blob}` not found in `{place}`")]
    BlobNotFound {
        /// The blob.
        blob: Digest,
        /// The store.
        place: String,
    },
    /// A store lists a manifest as a referrer of something that is not its subject.
    #[error("`{referrer}` is listed as a referrer of `{subject}`, but its subject is another")]
    NotReferrer {
        /// The manifest listed.
        referrer: Digest,
        /// What it was said to refer to.
        subject: Digest,
    },
    /// No entry of the store has this name.
    #[error("`{name}` not found in `{place}`")]
    NameNotFound {
        /// The name.
        name: String,
        /// The store.
        place: String,
    },
    /// A name is needed to tell several entries apart.
    #[error("`{place}` has {count} entries: name one of them")]
    Ambiguous {
        /// The store.
        place: String,
        /// How many entries there are.
        count: usize,
    },
    /// A file that makes a folder an image layout is missing or broken.
    #[error("`{}`: {reason}", path.display())]
    Layout {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// Another process adds to the store or uses a folder in it, so that nothing can be removed now.
    #[error("`{}` is in use: another process adds to it, or runs a model of it", path.display())]
    Busy {
        /// The layout.
        path: PathBuf,
    },
    /// An archive was refused.
    #[error("archive `{}`: {reason}", path.display())]
    Archive {
        /// The tar file.
        path: PathBuf,
        /// What is wrong, with the name of the entry.
        reason: String,
    },
}

impl StoreError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. } | Self::Space { .. } | Self::Read { .. } | Self::Busy { .. } => {
                ErrorKind::Io
            }
            Self::Size { .. }
            | Self::Mismatch { .. }
            | Self::Range { .. }
            | Self::Limit { .. }
            | Self::NotReferrer { .. } => ErrorKind::Mismatch,
            Self::BlobNotFound { .. } | Self::NameNotFound { .. } => ErrorKind::NotFound,
            Self::Ambiguous { .. } => ErrorKind::Usage,
            Self::Layout { .. } | Self::Archive { .. } => ErrorKind::Unsupported,
        }
    }

    /// A blob that is read into memory is larger than `limit` bytes.
    pub(in crate::store) fn too_large(blob: &Descriptor, limit: u64) -> Self {
        Self::Limit {
            blob: blob.digest,
            what: "bytes",
            got: blob.size,
            limit,
        }
    }

    /// Names the file in an I/O error: `.map_err(StoreError::io(path))`.
    pub(in crate::store) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause }
    }
}

/// Wraps an error of the library so that a reader can return it.
pub fn read_error(error: impl Into<Error>) -> io::Error {
    let error = error.into();
    let kind = match error.kind() {
        ErrorKind::Mismatch => io::ErrorKind::InvalidData,
        ErrorKind::NotFound => io::ErrorKind::NotFound,
        ErrorKind::Denied => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Takes the error of the library out of what a reader returned; a plain I/O error names the blob.
pub fn error_of_read(error: io::Error, blob: &Digest) -> Error {
    error.downcast::<Error>().unwrap_or_else(|cause| {
        let blob = *blob;
        StoreError::Read { blob, cause }.into()
    })
}
