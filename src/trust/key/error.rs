//! Why a key or a signature was refused. No message holds a byte of a key.

use crate::ErrorKind;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no PEM block.
    #[error("it is not a PEM file of at most 64 KiB")]
    NotPem,
    /// The PEM block is something else.
    #[error("it holds a `{found}`, expected {expected}")]
    Label {
        /// What was found.
        found: String,
        /// What is needed.
        expected: &'static str,
    },
    /// A key of another algorithm or curve.
    #[error("it is a key of algorithm {0}, expected ECDSA on P-256, P-384 or P-521")]
    Algorithm(String),
    /// It is malformed.
    #[error("it is malformed: {0}")]
    Malformed(&'static str),
    /// A passphrase is needed.
    #[error("it is sealed with a passphrase, and none was given")]
    Sealed,
    /// The passphrase does not open it.
    #[error("the passphrase does not open it")]
    Passphrase,
    /// It is encrypted in a way that only OpenSSL knows.
    #[error("it is encrypted as OpenSSL does; write it unencrypted, or make one with `keygen`")]
    ForeignEncryption,
}

impl KeyError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Sealed => ErrorKind::Usage,
            Self::Passphrase => ErrorKind::Denied,
            _ => ErrorKind::Unsupported,
        }
    }
}

/// Why a signature is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is no ECDSA signature of that curve in ASN.1 DER.
    #[error("the signature is malformed")]
    Malformed,
    /// It was not made by this key over these bytes.
    #[error("the signature is invalid: it was not made by this key over this content")]
    Invalid,
}
