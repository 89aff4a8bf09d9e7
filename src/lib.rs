//! Packs machine-learning models as OCI artifacts, moves them to and from any OCI registry pinned
//! by digest, and runs a pulled one with ONNX Runtime before it is deployed.
//!
//! ```
//! use modelctl::materialise::{self, PullOptions};
//! use modelctl::pack::{self, PackOptions};
//! use modelctl::plan::{self, PlanOptions};
//! use modelctl::store::Memory;
//!
//! # #[tokio::main]
//! # async fn main() -> modelctl::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder can be made");
//! let (model, copy) = (folder.path().join("model"), folder.path().join("copy"));
//! # std::fs::create_dir(&model).expect("the folder can be written");
//! # std::fs::write(model.join("labels.txt"), "cat\ndog\n").expect("the folder can be written");
//! let plan = plan::build(&model, &PlanOptions::default())?; // reads and hashes, writes nothing
//! let store = Memory::new(); // or a layout, or the repository of a registry
//! let packed = pack::store(&plan, &store, &PackOptions::default()).await?;
//! assert_eq!(packed.copied, 4); // the file, the model manifest, the config, the manifest
//! materialise::pull(&store, &plan.manifest, &copy, &PullOptions::default()).await?;
//! # assert_eq!(std::fs::read(copy.join("labels.txt")).expect("it was pulled"), b"cat\ndog\n");
//! # Ok(())
//! # }
//! ```
//!
//! The modules are listed in the order in which a model passes through them: files become a plan
//! ([`model`], [`onnx`], [`plan`]), the plan becomes blobs in a store ([`pack`], [`store`]), blobs
//! are copied between stores, of which a registry is one ([`transport`], [`transfer`]), as far as
//! they are not on this machine already ([`seed`]), and become files again ([`materialise`]) that
//! are verified ([`verify`]), whose makers are known ([`trust`]), and run ([`run`]). Whether one may be
//! deployed says the [`gate`], and [`diff`] compares two of them by their manifests. [`registry`] is the
//! other side of [`transport`]. All of them speak the vocabulary of [`oci`].
//!
//! Nothing here prints, reads the environment or the home directory, or ends the process.

pub mod error;

pub mod oci;

pub mod model;
pub mod onnx;

pub mod plan;

pub mod pack;

pub mod store;

pub mod transport;

pub mod transfer;

pub mod seed;

pub mod diff;

pub mod materialise;

pub mod verify;

pub mod trust;

pub mod run;

pub mod gate;

pub mod registry;

// The fuzzer's build alone has doors to parsers that are private.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use error::{Error, ErrorKind, Result};
