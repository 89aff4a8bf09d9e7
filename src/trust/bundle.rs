//! Sigstore bundles, version 0.3 (`sigstore/protobuf-specs:protos/sigstore_bundle.proto`).
//!
//! JSON ⇄ [`Bundle`]: a DSSE envelope, and what says who signed it. Reading is strict: an unknown
//! member, a second signature or another version is refused, never passed over. What proves that a
//! certificate was logged is not looked at here; see [`Bundle::log_entries`].

mod error;
mod wire;

pub use error::BundleError;

use crate::oci::json;
use crate::trust::dsse::Envelope;

/// The media type of a bundle, as a blob and in itself.
pub const BUNDLE_V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The largest bundle that is read, in bytes: room for a statement over some 50,000 files.
pub const MAX_BUNDLE_SIZE: u64 = 16 * 1024 * 1024;

/// A signature with what says who made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Who made it, as the bundle has it: a hint until it is checked.
    pub material: Material,
    /// What was signed.
    pub envelope: Envelope,
    /// How many entries of a transparency log it carries. Nothing is said about their validity.
    pub log_entries: usize,
}

/// Who made a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// Whoever holds a key.
    PublicKey {
        /// Which key, in the manner of the tool that signed.
        hint: String,
        /// The key itself, in DER, as OpenSSF Model Signing before 1.1 wrote it.
        spki: Option<Vec<u8>>,
    },
    /// Whom a certificate names, in DER: keyless signing.
    Certificate(Vec<u8>),
    /// Whom the first certificate names, in DER; the others lead to a root.
    Chain(Vec<Vec<u8>>),
}

impl Bundle {
    /// A bundle without log entries.
    pub fn new(material: Material, envelope: Envelope) -> Self {
        Self {
            material,
            envelope,
            log_entries: 0,
        }
    }

    /// Parses a bundle of at most [`MAX_BUNDLE_SIZE`]. Nothing of it is verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() as u64 > MAX_BUNDLE_SIZE {
            return Err(BundleError::TooLarge);
        }
        json::from_slice::<wire::Bundle>(bytes)?.try_into()
    }

    /// The JSON, without white space and without log entries.
    pub fn to_vec(&self) -> Vec<u8> {
        serde_json::to_vec(&wire::Bundle::from(self)).expect("a bundle has only text for keys")
    }
}

#[cfg(test)]
mod tests;
