//! What cosign writes, and by what it is found (`sigstore/cosign:specs/SIGNATURE_SPEC.md`,
//! `specs/BUNDLE_SPEC.md`).
//!
//! ```text
//! v3      manifest ◄─ subject ─ referrer ─► one layer, a bundle with a statement of SIGN_PREDICATE
//! legacy  tag sha256-<hex>.sig ─► manifest ─► layers, each a payload with its signature as annotation
//! ```

mod payload;

pub use payload::{PayloadError, SimpleSigning};

use crate::oci::{Digest, Tag};

/// The predicate of a signature of cosign 3.
pub const SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
/// What the media type of the one layer of a referrer that carries a bundle begins with.
pub const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
/// The annotation of such a referrer that says which predicate is in the bundle.
pub const PREDICATE_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";
/// A layer of a legacy signature: the payload that was signed.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of such a layer that holds the signature, in Base64.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";

/// The tag beside an artifact under which its legacy signatures are.
pub fn legacy_tag(artifact: &Digest) -> Tag {
    let tag = format!("{}-{}.sig", artifact.algorithm(), &artifact.hex()[..64]);
    tag.parse().expect("it has letters, digits and dashes only")
}
