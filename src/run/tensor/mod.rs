//! Tensors as values: their elements, and the three file formats that they are read from.
//!
//! Every reader is bounded, checks that dtype, shape and content agree, and refuses what it cannot
//! represent exactly; none of them executes anything (NumPy's object arrays are pickles).

mod dense;
mod error;
mod json;
mod npy;
mod proto;

pub use dense::Tensor;
pub use error::TensorError;
pub use json::{from_json, to_json};
pub use npy::{decode_npy, encode_npy};
pub use proto::{decode_proto, encode_proto};

pub(super) use dense::{Data, words};
