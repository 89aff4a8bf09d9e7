//! Model files: their paths, their roles, and the model manifest that says what they are.

mod dir;
mod error;
mod manifest;
mod path;

pub use dir::ModelDir;
pub use error::ModelError;
pub use manifest::{
    Dimension, Extent, File, Graph, Interface, Layer, MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE,
    ModelManifest, OWN_FOLDER, Operator, Opset, Producer, Role, Sha256, Tensor, Test, Value,
};
pub use path::{FilePath, FilePathError};
