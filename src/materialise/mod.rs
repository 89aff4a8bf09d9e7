//! Manifest and blobs → the folder of a model, all or nothing.
//!
//! A [`PullPlan`] inverts the extents of the model manifest: for each blob, which of its ranges go
//! to which offsets of which files. Every blob is then read once, in small pieces, and written at
//! its offsets into a temporary folder beside the target, which takes the target's name only when
//! every blob was verified and every file is on disk:
//!
//! ```text
//! models/.modelctl-tmp-<target>/
//!        ├── journal                    how far each blob is
//!        └── new/
//!            ├── model.onnx             written by extents
//!            └── .modelctl/manifest.json   written last: the mark of completeness
//! models/demo/                          renamed (or exchanged) into place at the end
//! ```
//!
//! A pull that was interrupted leaves that folder. The next one of the same artifact, in this or
//! another process, hashes what is there and fetches the rest; two at a time do not exist, since the
//! folder is locked.
//!
//! No archive is ever unpacked, so that no link, device or mode can come out of one. Names come
//! from the checked model manifest, and files are opened component by component without following
//! links. Memory use depends neither on the number of blobs in flight nor on their size.

mod blob;
mod commit;
mod error;
mod in_place;
mod job;
mod journal;
mod manifest;
mod options;
mod pairs;
mod parallel;
mod plan;
mod pull;
mod recover;
mod spread;
mod stage;
mod target;
mod tree;
mod work;
mod writer;

pub use error::MaterialiseError;
#[cfg(fuzzing)]
pub(crate) use journal::positions as journal_positions;
pub use manifest::fetch_manifest;
pub use options::{PullOptions, PullReport};
pub use plan::{Piece, PlannedBlob, PlannedFile, PullPlan, plan};
pub use pull::pull;
