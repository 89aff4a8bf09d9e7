//! Whom the user trusts to name signers: the trusted root of a sigstore instance.

use std::fmt;
use std::sync::Arc;

use sigstore_verify::Verifier;
use sigstore_verify::trust_root;

use super::{TrustedRootError, crypto};
use crate::oci::json;

/// The largest trusted root that is read, in bytes. That of sigstore's public instance has 7 KB.
pub const MAX_TRUSTED_ROOT: u64 = 1024 * 1024;

/// What the media types of all versions begin with.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// The authorities and logs of a sigstore instance. A copy costs nothing.
#[derive(Clone)]
pub struct TrustedRoot(pub(super) Arc<Verifier>);

impl TrustedRoot {
    /// Parses a trusted root as `cosign trusted-root create` writes it, of at most
    /// [`MAX_TRUSTED_ROOT`] bytes. Who brings it decides whom to trust: it is not signed itself.
    ///
    /// # Errors
    /// It is malformed, a key or certificate in it cannot be used, or two logs have one id.
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustedRootError> {
        if bytes.len() as u64 > MAX_TRUSTED_ROOT {
            return Err(TrustedRootError::TooLarge);
        }
        crypto::install();
        let root: trust_root::TrustedRoot = json::from_slice(bytes)?;
        if !root.media_type.starts_with(MEDIA_TYPE) {
            return Err(TrustedRootError::Type(root.media_type));
        }
        match Verifier::new(&root) {
            Ok(verifier) => Ok(Self(Arc::new(verifier))),
            Err(error) => Err(TrustedRootError::refused(&error)),
        }
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TrustedRoot")
    }
}
