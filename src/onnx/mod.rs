//! What is inside an ONNX file: a bounded reader of its wire format, and a rewriter.
//!
//! ONNX bytes → [`Model`]: interface, operators, and the byte range of every tensor. No protobuf
//! object tree, no memory map, no 2 GiB limit: positioned reads over the wire format. With the
//! model in hand, [`rewrite()`] writes the file anew with tensors moved out of it or into it, every
//! other byte as it was.
//!
//! Everything in the file is hostile: lengths, numbers and names are checked before they are
//! believed, and [`external::open`] and [`check()`] before anything else opens what they name.

mod check;
mod data_type;
mod error;
pub mod external;
mod fault;
mod model;
mod probe;
mod read;
mod rewrite;
mod tree;
mod wire;

#[cfg(test)]
mod tests;

pub use check::{check, check_external_data};
pub use data_type::DataType;
pub use error::OnnxError;
pub use fault::{FileFault, TensorFault};
pub use model::{Content, Dim, Model, SMALLEST, Tensor, ValueInfo};
pub use probe::is_onnx;
pub use read::{read, tensor_shape};
pub use rewrite::{Move, Piece, pieces, rewrite};
pub use wire::ReadAt;
