//! Why certificates were refused.

use crate::ErrorKind;
use crate::trust::KeyError;

/// Why certificates cannot be used, or are not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate in a file.
    #[error("it holds no PEM certificate, or more than {0}")]
    Pem(usize),
    /// A certificate is malformed.
    #[error("a certificate is malformed")]
    Malformed,
    /// A certificate has something that is not known here and must not be passed over.
    #[error("the certificate of `{subject}` has the extension {oid}, which is not supported")]
    Extension {
        /// Whose.
        subject: String,
        /// Which.
        oid: String,
    },
    /// The chain does not lead to a trusted certificate.
    #[error(
        "the certificate of `{0}` is not issued by a trusted root, or by a certificate that is valid now and was when the signer's began"
    )]
    Untrusted(String),
    /// The signer's certificate has expired, or is not valid yet.
    #[error(
        "the certificate of `{subject}` is valid from {from} to {to} and not now, and nothing proves when the signature was made"
    )]
    NotValid {
        /// Whose.
        subject: String,
        /// Since when it is valid.
        from: String,
        /// The last second at which it is.
        to: String,
    },
    /// The signer's certificate is not for signing.
    #[error(
        "the certificate of `{0}` is not for signing: it needs the key usage digitalSignature or the extended one codeSigning, and neither for something else only"
    )]
    Usage(String),
    /// The signer's key is of an algorithm that is not supported.
    #[error("the certificate of `{subject}` cannot be used: {cause}")]
    Key {
        /// Whose.
        subject: String,
        /// Why.
        cause: KeyError,
    },
    /// The certificate is of another key than the private one.
    #[error("the certificate of `{0}` is not for the private key")]
    OtherKey(String),
}

impl CertificateError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Pem(_) => ErrorKind::Unsupported,
            Self::OtherKey(_) => ErrorKind::Usage,
            _ => ErrorKind::Mismatch,
        }
    }
}
