//! The walk over an ONNX file: wire records → [`super::Model`].
//!
//! Messages are walked in the order of the file, once; nodes, attributes and functions a second
//! time without what is inside them, because their names may come after what they name.

mod attribute;
mod external;
mod function;
mod graph;
mod model;
mod scope;
mod tensor;
mod value;

pub use model::read;
pub use tensor::tensor_shape;
