//! Model files → the plan of an artifact: read-only and printable.
//!
//! ```text
//! survey     what each file is; graphs read, external data found
//! split      tensors → regions → shards; graphs without weights
//! compose    layers in order; every file as extents of them
//! ───────── the outline: what is packed, and that it can be
//! hash       digests of layers, files and tensors, on several threads, told one by one
//! document   model manifest, signature, config and OCI manifest: the plan
//! ```
//! Nothing is written and no weights are held in memory: the content of a layer is a list of
//! [`Segments`], which a store reads from the original files. The plan depends on names and contents
//! of the files and on the options, on nothing else: no clock, no user, no order of folders.

mod artifact;
mod build;
mod cache;
mod case;
mod compose;
mod content;
mod document;
mod error;
mod gather;
mod hash;
mod hashed;
mod layer;
mod options;
mod outline;
mod sign;
mod split;
mod survey;

pub use artifact::{ArtifactPlan, PlannedLayer};
pub use build::{build, graphs};
pub use cache::DigestCache;
#[cfg(fuzzing)]
pub(crate) use cache::{parse as parse_digests, to_bytes as write_digests};
pub use content::Segments;
pub use error::PlanError;
pub use hashed::Hashed;
pub use layer::LayerKind;
pub use options::{PlanOptions, TestSet};
pub use outline::Outline;
pub use sign::{LayerSigner, SignFault};
