//! Why a bundle was refused.

use super::BUNDLE_V03;
use crate::oci::json::JsonError;

/// Why a bundle was refused.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is larger than any that is read.
    #[error("the signature bundle is larger than {} MiB", super::MAX_BUNDLE_SIZE >> 20)]
    TooLarge,
    /// It is not the JSON of a bundle.
    #[error("the signature bundle is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// It is of another version.
    #[error("the signature bundle is a {0:?}, expected {BUNDLE_V03:?}")]
    Version(String),
    /// A field is not Base64.
    #[error("`{0}` of the signature bundle is not Base64")]
    Base64(&'static str),
    /// It does not say in exactly one way who signed.
    #[error(
        "the signature bundle has {0} of publicKey, certificate and x509CertificateChain, expected one"
    )]
    Material(usize),
    /// A chain has no certificate.
    #[error("the certificate chain of the signature bundle is empty")]
    EmptyChain,
    /// It does not have exactly one signature.
    #[error("the signature bundle has {0} signatures, expected one")]
    Signatures(usize),
}
