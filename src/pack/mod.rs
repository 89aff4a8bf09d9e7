//! The plan of an artifact → blobs in a store.
//!
//! A store may be a layout on disk or a registry: the weights are read where they are, and no
//! second copy is made of them. Digests were fixed when the plan was made; the store checks them.

mod error;
mod store;

pub use error::PackError;
pub use store::{PackOptions, store};
