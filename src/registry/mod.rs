//! The embedded registry: the OCI distribution API 1.1 over an image layout on disk.
//!
//! HTTP requests → blobs, manifests and tags in a store, which `skopeo` and the other commands can
//! read as it is. For one machine and for sites without a network: there are no accounts here.
//!
//! **Invariant:** names are types before anything is done with them (`api`), nothing is
//! acknowledged before it is on disk (`depot`), and a body is never held in memory whole, but for
//! manifests, which are bounded.

mod api;
mod depot;
mod error;
mod options;
mod server;
mod wire;

pub use error::RegistryError;
pub use options::RegistryOptions;
pub use server::serve;
