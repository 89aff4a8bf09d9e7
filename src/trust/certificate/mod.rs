//! X.509 certificates of signers: a chain from a leaf to a root that the user trusts.
//!
//! `rustls-webpki` verifies the signatures of certificates, but for those of P-521. Its paths are those of
//! TLS servers and refuse a leaf that may also issue certificates, as those that `openssl req -x509`
//! makes may; so the path is checked here, in the part of RFC 5280, section 6.1, that leads from one leaf
//! over given certificates to a root. What this part does not know, such as name constraints, is refused.

mod chain;
mod error;
mod p521;
mod parsed;

pub use chain::{MAX_CERTIFICATES, Roots, SignerCertificate, leaf_key, without_roots};
pub use error::CertificateError;
pub use parsed::parse_pem;
