//! Inputs for a graph that has none: an interface and a seed → tensors, the same on every machine.
//!
//! Dimensions that the graph leaves open are tried until it runs; values are drawn from
//! [`super::random`]. Where nothing runs, the error says what was tried and which flag helps.

mod settle;
mod shapes;
mod values;

pub use values::{InputOptions, ValueRange};

pub(super) use settle::{settle, unsuited};
pub(super) use values::inputs;
