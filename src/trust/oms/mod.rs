//! OpenSSF Model Signing v1.0 (`ossf/model-signing-spec:spec/v1.0.md`): one signature over all files
//! of a model.
//!
//! ```text
//! ModelManifest ─┐                       ┌─ Envelope ─ Bundle ─► signature layer, or a file
//!                ├─► Resources ─ ModelStatement
//! folder ────────┘   name, SHA-256       └◄ Bundle: verified first, then read ─► Resources
//! ```
//!
//! A signature layer covers the files of the model manifest and the model manifest itself, so that it
//! is made and checked in kilobytes, without a weight; the folder that a pull writes is what it
//! covers, and any verifier of the specification accepts it.
//!
//! Where the reference implementation (PyPI `model-signing` 1.1) and the specification differ, the
//! specification's form is written and both are read: the order of files, and the name of a model
//! that is one file.

mod check;
mod difference;
mod error;
mod folder;
mod ignored;
mod name;
mod pulled;
mod resources;
mod sign;
mod statement;
mod verify;

pub use check::{FolderOptions, check_signed};
pub use difference::{Change, Difference, Differences};
pub use error::OmsError;
pub use folder::Folder;
pub use ignored::{GIT_NAMES, IgnoreError, IgnorePaths};
pub use name::{NameError, ResourceName};
pub use pulled::{MAX_SIGNATURES, check_pulled};
pub use resources::{MAX_RESOURCES, Resource, Resources};
pub use sign::{SignedFolder, Signer};
pub use statement::{ModelStatement, PREDICATE_TYPE, Signed};
pub use verify::{Signature, SignedBy, Trusted, Verified, check_layer};
