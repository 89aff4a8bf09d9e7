//! The embedded registry: the OCI distribution API 1.1 over an image layout on disk.
//!
//! HTTP requests → blobs, manifests and tags in a store, which `skopeo` and the other commands can
//! read as it is. For one machine and for sites without a network: its users stand in a file, and
//! each may read or also write, whatever the repository.
//!
//! **Invariant:** names are types before anything is done with them (`api`), nothing is
//! acknowledged before it is on disk (`depot`), and a body is never held in memory whole, but for
//! manifests, which are bounded.

mod access;
mod api;
mod depot;
mod error;
mod observe;
mod options;
mod server;
mod tls;
mod wire;

#[cfg(fuzzing)]
pub(crate) use access::Users;
pub use error::RegistryError;
pub use observe::{AccessLog, Metrics, Record, serve_metrics};
pub use options::{Collection, RegistryOptions, TlsFiles};
pub use server::{Server, serve};
#[cfg(fuzzing)]
pub(crate) use wire::{Wanted, chunk, wanted};
