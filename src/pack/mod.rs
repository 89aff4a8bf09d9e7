//! The plan of an artifact → blobs in a store.
//!
//! A store may be a layout on disk or a registry: the weights are read where they are, and no
//! second copy is made of them. Digests are fixed when the plan is made; the store checks them.
//! [`store()`] stores a plan; [`send()`] makes it on the way.

mod blob;
mod delivery;
mod error;
mod send;
mod store;

pub use error::PackError;
pub use send::send;
pub use store::{PackOptions, store};
