//! Packs machine-learning models as OCI artifacts, moves them to and from any OCI registry pinned
//! by digest, and runs a pulled one with ONNX Runtime before it is deployed.
//!
//! The modules are listed in the order in which a model passes through them: files become a plan,
//! the plan becomes blobs in a store, blobs are copied between stores (a registry is one), and
//! become files again that can be verified and run.

pub mod error;

pub mod oci;

pub mod model;
pub mod onnx;

pub mod plan;

pub mod pack;

pub mod store;

pub mod transport;

pub mod transfer;

pub mod materialise;

pub mod verify;

pub mod run;

pub mod registry;

pub use error::{Error, ErrorKind, Result};
