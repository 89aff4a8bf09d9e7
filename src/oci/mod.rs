//! The vocabulary of OCI: digests, descriptors, manifests, references. Pure types, no I/O.
//!
//! text and bytes → types. What a registry sends is hostile until it is one of these types: a
//! [`Digest`] cannot hold a path, a [`Reference`] cannot hold a URL, and a [`Document`] keeps the
//! exact bytes that its digest is computed from.

pub mod annotation;
mod descriptor;
mod digest;
mod error;
pub mod json;
mod manifest;
pub mod media_type;
mod place;
mod reference;
pub mod registry_error;
mod sha256;
mod timestamp;

pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use error::OciError;
pub use manifest::{Document, Index, Kind, MAX_MANIFEST_SIZE, Manifest};
pub use place::{Place, PlaceError};
pub use reference::{Reference, ReferenceError, Tag};
pub(crate) use sha256::Sha256;
pub use timestamp::{rfc3339, timestamp};
