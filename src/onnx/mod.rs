//! What is inside an ONNX file: a bounded reader of its wire format, and a rewriter.
//!
//! ONNX bytes → [`Model`]: interface, operators, and the byte range of every tensor. No protobuf
//! object tree, no memory map, no 2 GiB limit: positioned reads over the wire format.

mod data_type;
mod error;
mod model;

pub use data_type::DataType;
pub use error::OnnxError;
pub use model::{Content, Dim, Model, Tensor, ValueInfo};
