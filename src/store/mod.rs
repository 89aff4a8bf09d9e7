//! Where blobs rest: the traits, and the places on this machine.

mod error;
mod storage;

pub use error::StoreError;
pub use storage::{BlobSource, Referrers, Storage, Tags};
