//! Why nobody is known to have made a keyless signature.

use crate::ErrorKind;
use crate::oci::json::JsonError;
use crate::trust::StatementError;

/// The longest reason that is passed on, in characters: parts of it come from the signature.
const MAX_REASON: usize = 300;

/// Why a trusted root cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustedRootError {
    /// It is larger than any that is read.
    #[error("it is larger than {} KiB", super::MAX_TRUSTED_ROOT >> 10)]
    TooLarge,
    /// It is not the JSON of a trusted root.
    #[error("it is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// It is another document.
    #[error("it is a {0:?}, expected a trusted root of sigstore")]
    Type(String),
    /// A key or a certificate in it cannot be used.
    #[error("{0}")]
    Refused(String),
}

/// Why a keyless signature is not valid.
#[derive(Debug, thiserror::Error)]
pub enum KeylessError {
    /// It names nobody.
    #[error("it has no certificate")]
    NoCertificate,
    /// Nothing shows that its certificate was used while it was valid.
    #[error("it has no entry of a transparency log, and nothing else shows when it was made")]
    NoLogEntry,
    /// It holds more certificates, log entries or timestamps than are looked at.
    #[error("its certificates, log entries and timestamps are larger than {0} KiB together")]
    TooLarge(usize),
    /// What was signed is no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// What was signed is about nothing that could be in use.
    #[error("it is over no SHA-256")]
    NoDigest,
    /// Two readers of the bundle see different things in it.
    #[error("it is ambiguous: it can be read in two ways")]
    Ambiguous,
    /// A check failed.
    #[error("{0}")]
    Refused(String),
    /// The certificate does not say who has signed.
    #[error("its certificate names nobody, or no issuer who vouches for that")]
    Anonymous,
}

impl TrustedRootError {
    pub(super) fn refused(error: &sigstore_verify::Error) -> Self {
        Self::Refused(shown(error))
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Mismatch
    }
}

impl KeylessError {
    pub(super) fn refused(error: &impl std::fmt::Display) -> Self {
        Self::Refused(shown(error))
    }
}

/// A text of another crate, without what could deceive at a terminal.
fn shown(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let text = text.chars().take(MAX_REASON);
    text.map(|character| match character.is_control() {
        true => ' ',
        false => character,
    })
    .collect()
}
