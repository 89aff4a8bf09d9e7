//! What changed from one version of a model to another, and whether it can take its place.
//!
//! two [`Side`]s (OCI manifest and model manifest) → [`Difference`]. Pure: nothing is fetched, so that
//! models of any size are compared by kilobytes. The interface comes first: [`interface`] has the
//! rules by which B is a drop-in for A. Then operators, tensors by their digests, files, what is said
//! about the model, smoke tests, signers, and how many bytes an upgrade moves.

mod about;
mod cases;
mod delta;
mod difference;
mod files;
mod graphs;
pub mod interface;
mod side;
mod tensors;
mod upgrade;

pub use about::{About, Field};
pub use cases::{CaseChange, CasePart, CaseState};
pub use delta::{Change, Delta, Total};
pub use difference::{Difference, between};
pub use files::{FileChange, FileEntry, FilePart, FileState};
pub use graphs::{GraphChange, OperatorChange, OpsetChange};
pub use interface::{DropIn, InterfaceChange};
pub use side::{Side, Signer, Signers};
pub use tensors::{TensorChange, TensorEntry, TensorPart, TensorState};
pub use upgrade::Upgrade;
