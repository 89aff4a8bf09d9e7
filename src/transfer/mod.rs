//! Push, pull and cp are one verb: a copy between two stores.
//!
//! source + sink + root document → everything that the root needs is in the sink.

mod copy;
mod error;
mod push;

pub use copy::{CopyOptions, CopyReport, copy};
pub use error::{Side, TransferError};
