//! An ONNX file written anew with tensors moved out of it or into it.
//!
//! A model and what becomes of its tensors → the pieces of the new file: ranges of the original
//! one and new bytes between them. Only the records of the moved tensors change, and the lengths of
//! the messages around them; every other byte is copied, fields unknown to this reader included.
//! The same file and the same moves give the same bytes.

mod moves;
mod piece;
mod splice;

pub use moves::Move;
pub use piece::Piece;
pub use splice::{pieces, rewrite};
