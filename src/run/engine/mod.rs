//! ONNX Runtime: finding its library, loading it once per process, and sessions over it.
//!
//! This folder alone imports `ort`. A library is loaded only from a place that the user chose, never
//! from a model; a model reaches ONNX Runtime only after the checks of [`crate::onnx`].

mod library;
mod runtime;
mod session;
mod value;
mod version;

pub use library::{LibrarySearch, find_library};
pub use runtime::Engine;
pub use session::{Session, SessionOptions};
pub use version::Version;
