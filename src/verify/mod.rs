//! Checks of artifacts, layouts and folders: findings, not the first fault.
//!
//! artifact in any store → every blob read and hashed, the rules of the model manifest, and in the
//! same pass the SHA-256 of tensors and files that are one range of a blob · layout → every blob
//! against its name, and everything that its entries need · folder → every file against its model
//! manifest, nothing missing and nothing else there; if so, a [`ModelDir`](crate::model::ModelDir).
//!
//! An `Err` says that a check could not be carried out; what a check has found is a [`Finding`].

mod artifact;
mod contents;
mod directory;
mod error;
mod finding;
mod hash;
mod layout;
pub(crate) mod parallel;
mod ranges;
mod split_files;

pub use artifact::{ArtifactOptions, artifact};
pub use directory::{DirectoryReport, directory, read_manifest};
pub use error::VerifyError;
pub use finding::{Check, Code, Finding, Outcome};
pub(crate) use hash::digest_of;
pub use layout::layout;
