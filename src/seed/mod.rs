//! What is on this machine already need not be fetched: a source that takes it from here.
//!
//! new artifact + seeds → a [`Storage`](crate::store::Storage) that gives the same bytes. A seed is
//! the local store, or a folder that an earlier version was pulled into, in either form; it is found
//! through its model manifest. A wanted blob is there whole, or in parts:
//!
//! ```text
//! wanted shard   │ tensor A │0│ tensor B │0│ tensor C │       the model manifest knows each sha256
//!                     │           │            │
//!                     ▼           ▼            ▼
//!              a range of    a range of    bytes 9 MiB.. of the blob
//!              old shard 3   model.onnx    in the registry
//! ```
//!
//! Nothing about a seed is believed. Parts are hashed before they are used, ranges that are fetched
//! are hashed as they come, and the whole blob is verified by its digest in any case: a seed that
//! lies, rots or changes costs time and never correctness. Once the bytes of a blob were given, it is
//! not seeded again, so that whoever finds them wrong gets them from the source by asking again.

mod chain;
mod check;
mod error;
mod folder;
mod forecast;
mod place;
mod reader;
mod seeded;
mod seeds;
mod steps;
mod stored;
mod wanted;

pub use error::SeedError;
pub use forecast::forecast;
pub use seeded::Seeded;
pub use seeds::{Saved, Seeds};
