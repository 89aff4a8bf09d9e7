//! A verified folder → ONNX Runtime.

mod error;

pub use error::RunError;
