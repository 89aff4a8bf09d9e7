//! May exactly this artifact be deployed? A list of checks with what each found, and a verdict.
//!
//! ```text
//! Policy ─ rule ─┐
//! reference ─ digest ─ lock ─┐                        (resolved once; everything after goes by digest)
//!                 manifest, model manifest ─┐
//!                              signatures ─ attestations ─ smoke test ─ what the model is ─► Report
//! ```
//!
//! It fails closed: a check that cannot be decided is never a pass, and a verdict allows only where
//! every check that decides is there and has passed, or the rule does not ask for it. Of a remote
//! artifact kilobytes are read; its weights come only if the smoke test is to be run, and are verified
//! as they come. The clock and whoever runs the smoke test are passed in.

mod age;
mod artifact;
mod attestations;
mod check;
mod folder;
mod markdown;
mod model;
mod question;
mod report;
mod signatures;
mod smoke_test;
mod start;
mod verdict;

pub use artifact::artifact;
pub use check::{Check, CheckId, Code, Evidence, Outcome};
pub use folder::folder;
pub use question::{Question, Ran, Runner, Subject};
pub use report::Report;
pub use verdict::Verdict;
