//! Manifest and blobs → the folder of a model.

mod error;

pub use error::MaterialiseError;
