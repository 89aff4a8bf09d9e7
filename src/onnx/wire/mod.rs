//! The protobuf wire format over positioned reads: bytes of a file → records, and back.
//!
//! No schema, no tree of objects: a [`reader::Wire`] gives the records of one message after the
//! other, and whoever walks knows from [`field`] what they are.

pub(crate) mod encode;
pub(crate) mod field;
mod read_at;
mod reader;
mod window;

pub use read_at::ReadAt;
pub(crate) use reader::{Message, Record, Span, Value, Wire};
