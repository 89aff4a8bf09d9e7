//! The plan of an artifact → blobs in a store.

mod error;

pub use error::PackError;
