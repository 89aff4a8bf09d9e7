//! Errors of model signing.

use std::io;
use std::path::{Path, PathBuf};

use super::{IgnoreError, NameError};
use crate::ErrorKind;
use crate::trust::certificate::CertificateError;
use crate::trust::{BundleError, SignatureError, StatementError};

/// Why a model could not be signed, or its signature was refused.
#[derive(Debug, thiserror::Error)]
pub enum OmsError {
    /// The signature file is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The signature is not one of the key or certificate.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The bundle names another key or another way of signing than what it was checked with.
    #[error("the signature is by {found}, expected {expected}")]
    OtherSigner {
        /// What the bundle says.
        found: String,
        /// What the caller trusts.
        expected: String,
    },
    /// The certificates are not trusted, or cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The signed payload is no in-toto statement.
    #[error(transparent)]
    Payload(#[from] StatementError),
    /// The signed statement says nothing about a model, or contradicts itself.
    #[error("the signed statement is no OpenSSF Model Signing statement: {0}")]
    Statement(String),
    /// The statement is of a kind that is not read here.
    #[error("the signature has {0}, which modelctl does not verify: sign files with SHA-256")]
    Unsupported(String),
    /// The model is not the one that was signed.
    #[error("the signature is over another model: {0}")]
    Differs(super::Differences),
    /// There is nothing to sign, or nothing was signed.
    #[error("there are no files to sign")]
    Empty,
    /// A file cannot be signed.
    #[error("`{path}` cannot be signed: {reason}")]
    File {
        /// The file, from the root of the model.
        path: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// A name cannot stand in a statement.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A path cannot be left out.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// A file could not be read.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl OmsError {
    pub(super) fn statement(reason: impl Into<String>) -> Self {
        Self::Statement(reason.into())
    }

    /// Names the file in an I/O error: `.map_err(OmsError::io(path))`.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause }
    }

    /// Whether the signature is by somebody who was not asked for: it says nothing against the model.
    pub(super) fn is_by_another(&self) -> bool {
        matches!(
            self,
            Self::OtherSigner { .. } | Self::Certificate(CertificateError::Untrusted(_))
        )
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. } => ErrorKind::Io,
            Self::Ignore(_) => ErrorKind::Usage,
            Self::Certificate(error) => error.kind(),
            Self::Empty | Self::File { .. } | Self::Name(_) => ErrorKind::Unsupported,
            // What cannot be checked is not trusted.
            Self::Bundle(_)
            | Self::Signature(_)
            | Self::OtherSigner { .. }
            | Self::Payload(_)
            | Self::Statement(_)
            | Self::Unsupported(_)
            | Self::Differs(_) => ErrorKind::Mismatch,
        }
    }
}
