//! Push, pull and cp are one verb: a copy between two stores.

mod error;

pub use error::TransferError;
