//! Push, pull and cp are one verb: a copy between two stores.
//!
//! source + sink + root document → everything that the root needs is in the sink. Whatever moves
//! blobs, here and in other stages, does it through the one scheduler ([`Jobs`]), and whatever puts
//! them into a store asks first whether they are there.

mod copy;
mod error;
mod flight;
mod manifest;
mod remote;
mod report;
mod target;

pub use copy::{CopyOptions, copy};
pub use error::{Side, TransferError};
pub use flight::Jobs;
pub(crate) use flight::{Moved, fly, largest_first};
pub(crate) use manifest::push_manifest;
pub use report::CopyReport;
pub(crate) use target::{Outcome, Target};
