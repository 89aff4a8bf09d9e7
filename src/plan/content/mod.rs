//! Content of layers that is not copied anywhere: ranges of files, zeros, and bytes in memory.
//!
//! What a layer consists of → a digest, and a source that a store can read again at any offset.

mod file_pass;
mod hash;
mod passes;
mod segments;
mod tar;

pub(super) use hash::digests;
pub use segments::Segments;
pub(super) use segments::{Segment, read_range};
pub(super) use tar::{Member, archive};
