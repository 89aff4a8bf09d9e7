//! Model files: their paths, their roles, and the model manifest that says what they are.

mod check;
mod clash;
mod dir;
mod error;
pub(crate) mod extent_reader;
pub(crate) mod folder;
pub(crate) mod foreign;
mod manifest;
pub mod modelpack;
mod path;
pub mod role;
pub mod source;

pub use check::{Rule, Violation};
pub use clash::clash;
pub use dir::{Form, ModelDir};
pub use error::ModelError;
pub use foreign::ForeignError;
pub use manifest::{
    Dimension, Extent, File, Graph, Interface, Layer, MANIFEST_PATH, MAX_FILE_LAYERS,
    MAX_MODEL_MANIFEST_SIZE, MAX_NUMBER, ModelManifest, OWN_FOLDER, Operator, Opset, Producer,
    Role, SHARD_ALIGNMENT, SIGNATURES_FOLDER, Sha256, TESTS_FOLDER, Tensor, Test, Value,
};
pub use path::{FilePath, FilePathError};
