//! What cosign writes, and by what it is found (`sigstore/cosign:specs/SIGNATURE_SPEC.md`,
//! `specs/BUNDLE_SPEC.md`).
//!
//! ```text
//! v3      manifest ◄─ subject ─ referrer ─► one layer, a bundle with a statement of SIGN_PREDICATE
//! legacy  tag sha256-<hex>.sig ─► manifest ─► layers, each a payload with its signature as annotation
//! ```

mod claim;
pub mod legacy;
mod legacy_manifest;
mod payload;
mod predicate_type;

pub use claim::{attest, sign};
pub use payload::{PayloadError, SimpleSigning};
pub use predicate_type::{CUSTOM, PredicateType};

use crate::oci::{Digest, Tag};

/// The predicate of a signature of cosign 3, which claims nothing but that its key saw the digest.
pub const SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
/// What the media type of the one layer of a referrer that carries a bundle begins with.
pub const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
/// The annotation of such a referrer that says which predicate is in the bundle.
pub const PREDICATE_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";
/// The annotation of such a referrer that says what the bundle holds.
pub const CONTENT_ANNOTATION: &str = "dev.sigstore.bundle.content";
/// A layer of a legacy signature: the payload that was signed.
pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of such a layer that holds the signature, in Base64.
pub const SIGNATURE_ANNOTATION: &str = "dev.cosignproject.cosign/signature";
/// What ends the tags beside an artifact that hold its legacy signatures, attestations and bills of
/// materials.
pub const SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];
/// The annotation of such a layer that holds the certificate of whoever signed without a key.
pub const CERTIFICATE_ANNOTATION: &str = "dev.sigstore.cosign/certificate";

/// The tag beside an artifact under which its legacy signatures are.
pub fn legacy_tag(artifact: &Digest) -> Tag {
    suffixed_tag(artifact, SUFFIXES[0])
}

/// The tag beside an artifact for one of the [`SUFFIXES`].
pub fn suffixed_tag(artifact: &Digest, suffix: &str) -> Tag {
    let tag = format!(
        "{}-{}.{suffix}",
        artifact.algorithm(),
        &artifact.hex()[..64]
    );
    tag.parse()
        .expect("it has letters, digits, dashes and a dot only")
}
