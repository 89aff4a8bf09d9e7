//! Why something is not a tensor.

use crate::onnx::DataType;

/// Why bytes or values are not a tensor that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// The content has another length than dtype and shape say.
    #[error(
        "{} bytes of data for {} {shape:?}, which takes {}",
        actual,
        dtype.name(),
        match expected { Some(bytes) => bytes.to_string(), None => "more than can be held".to_owned() }
    )]
    Length {
        /// The element type.
        dtype: DataType,
        /// The dimensions.
        shape: Vec<u64>,
        /// How many bytes (strings: elements) they take; none where that is beyond 2^64.
        expected: Option<u64>,
        /// How many there are.
        actual: u64,
    },
    /// The bytes do not follow the format.
    #[error("not {format}: {reason}")]
    Malformed {
        /// The format, with an article.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A well-formed value of a kind that is not supported.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A JSON value that is not an element of the dtype.
    #[error("{value} is not a {}", dtype.name())]
    Element {
        /// The value, shortened.
        value: String,
        /// The element type.
        dtype: DataType,
    },
    /// JSON lists of different lengths at the same depth.
    #[error("the lists are ragged: expected {expected} elements at depth {depth}, got {actual}")]
    Ragged {
        /// Depth, the outermost list being 0.
        depth: usize,
        /// Length of the first list at that depth.
        expected: u64,
        /// Length of the one that differs.
        actual: u64,
    },
}
