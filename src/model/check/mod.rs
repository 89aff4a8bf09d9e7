//! The rules that every model manifest keeps.
//!
//! bytes + OCI manifest → [`ModelManifest`](super::ModelManifest), or the first [`Violation`]. What
//! comes out can be used without further checks: every number is below 2^53, every extent and
//! tensor is inside its layer, every file is exactly its extents, and no path can escape or hide
//! another. Each [`Rule`] has an invalid sample in `schema/samples/invalid/<rule>*.json`.

mod contents;
mod extents;
mod layers;
mod numbers;
mod parse;
mod paths;
mod rule;

pub use rule::{Rule, Violation};
