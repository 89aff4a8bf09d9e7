//! Which signatures hold: what was found, and whom the user trusts → a check for each, and a verdict.
//!
//! ```text
//! Found ┐
//!       ├─ check ─► Report: a SignatureCheck each ─ verdict ─► Ok, or Missing · Invalid · Unchecked
//! Signers ┘
//! ```
//!
//! A payload is parsed only once its signature is verified. A signature counts if it is valid, by a
//! trusted signer, over the manifest that is in use (or over the files of its model manifest), and
//! says of itself that it is a signature: an attestation about the same manifest is a claim of another
//! kind and never counts as one. Each signer counts once.

mod candidate;
mod form;
mod report;
mod signers;
mod verdict;

pub use candidate::{check, list};
pub use form::Form;
pub use report::{Outcome, Report, SignatureCheck};
pub use signers::{Signer, SignerId, Signers, SignersError};
pub use verdict::Distrust;
