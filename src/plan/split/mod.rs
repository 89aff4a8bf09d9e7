//! ONNX files → shards, graphs without weights, and skeletons.
//!
//! Tensors become [`Region`]s (bytes that several tensors and graphs may share), regions become
//! [shards](shard::Shard), and from both follows what each file consists of. Where a shard ends
//! depends on what the tensors *are*, never on their values or their place in a file.

mod cut;
mod files;
mod graph;
mod identity;
mod region;
mod shard;

pub(super) use files::{Piece, Split};
pub(super) use region::Region;
pub(super) use shard::Placement;
