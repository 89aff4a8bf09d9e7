//! Errors of this stage.

use std::path::PathBuf;

use crate::ErrorKind;
use crate::oci::Digest;
use crate::oci::json::JsonError;
use crate::trust::certificate::CertificateError;
use crate::trust::check::{Distrust, SignersError};
use crate::trust::keyless::TrustedRootError;
use crate::trust::lock::LockError;
use crate::trust::policy::PolicyError;
use crate::trust::predicate::Verdict;
use crate::trust::{BundleError, KeyError, SignatureError, StatementError, oms};

/// Why something could not be signed, or was not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A key cannot be used.
    #[error("cannot use the key `{}`", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// A signature is not valid.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A bundle was refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A lock file does not hold, or cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A statement was refused.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Certificates cannot be used.
    #[error("cannot use the certificates in `{}`", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: CertificateError,
    },
    /// A trusted root cannot be used.
    #[error("cannot use the trusted root `{}`", path.display())]
    TrustedRoot {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: TrustedRootError,
    },
    /// A model could not be signed, or its signature was refused.
    #[error(transparent)]
    Oms(#[from] oms::OmsError),
    /// Signers cannot be required as asked.
    #[error(transparent)]
    Signers(#[from] SignersError),
    /// An artifact is not signed as it should be, or that cannot be said.
    #[error(transparent)]
    Distrust(#[from] Distrust),
    /// A manifest is named by another digest than SHA-256, which signatures are over.
    #[error("cannot sign `{0}`: signatures are over SHA-256 digests")]
    Algorithm(Digest),
    /// What is under a `.sig` tag is no manifest of signatures.
    #[error("cannot add to the signatures that are there: {0}")]
    Legacy(String),
    /// Others kept replacing what was written.
    #[error("`{tag}` was replaced by others {updates} times while it was being written")]
    LostUpdates {
        /// The tag.
        tag: String,
        /// How often it was written.
        updates: u32,
    },
    /// A predicate was refused.
    #[error("the predicate is malformed: {0}")]
    Predicate(JsonError),
    /// A predicate is JSON, but no object.
    #[error("the predicate is not a JSON object")]
    PredicateForm,
    /// A text that is to be wrapped is none.
    #[error("the predicate is not UTF-8 text")]
    PredicateText,
    /// A test result does not follow from its own cases.
    #[error("the test result says {says:?}, but its cases and lists do not: expected {expected:?}")]
    TestResult {
        /// What it says.
        says: Verdict,
        /// What follows from the cases.
        expected: Verdict,
    },
}

impl TrustError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Key { cause, .. } => cause.kind(),
            Self::Certificates { cause, .. } => cause.kind(),
            Self::TrustedRoot { cause, .. } => cause.kind(),
            Self::Oms(error) => error.kind(),
            Self::Lock(error) => error.kind(),
            Self::Policy(_) => ErrorKind::Mismatch,
            Self::Signers(error) => error.kind(),
            Self::Distrust(error) => error.kind(),
            Self::Signature(_) | Self::Bundle(_) | Self::Statement(_) | Self::TestResult { .. } => {
                ErrorKind::Mismatch
            }
            Self::Algorithm(_)
            | Self::Legacy(_)
            | Self::Predicate(_)
            | Self::PredicateForm
            | Self::PredicateText => ErrorKind::Unsupported,
            Self::LostUpdates { .. } => ErrorKind::Unavailable,
        }
    }
}
