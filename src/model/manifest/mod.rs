//! The model manifest: what the files of a model are and where their bytes stand in the layers.
//!
//! Its JSON form is `schema/model-manifest.v1.json`, generated from these types. [`Extent`]s are the
//! one mechanism by which every file of every format is rebuilt, verified and updated:
//!
//! ```text
//! files[i].extents  = [layer, offset, length], …     concatenated they are the file
//! layers[layer]     = digest, size, path             a layer of the OCI manifest
//! tensors[j]        = layer, offset, length          the same bytes, by the tensor's name
//! ```

mod document;
mod extent;
mod file;
mod graph;
mod sha256;

pub use document::{Layer, ModelManifest, Tensor, Test};
pub use extent::Extent;
pub use file::{File, Role};
pub use graph::{Dimension, Graph, Interface, Operator, Opset, Producer, Value};
pub use sha256::Sha256;

/// The largest model manifest, checked before it is parsed.
pub const MAX_MODEL_MANIFEST_SIZE: u64 = 32 * 1024 * 1024;
/// Where a pulled folder keeps the model manifest; written last, so that it marks completeness.
pub const MANIFEST_PATH: &str = ".modelctl/manifest.json";
/// The folder that belongs to modelctl in every model.
pub const OWN_FOLDER: &str = ".modelctl";
/// Where the files of smoke tests are: `<case>/{input,output}_N.pb`.
pub const TESTS_FOLDER: &str = ".modelctl/tests";
/// Where signature layers are: `N.sig`.
pub const SIGNATURES_FOLDER: &str = ".modelctl/signatures";
/// How many files get a layer of their own; the smallest of more share one.
pub const MAX_FILE_LAYERS: usize = 512;
/// Where tensors begin in a shard, zeros before them: pages can be mapped (onnx
/// `docs/ExternalData.md`).
pub const SHARD_ALIGNMENT: u64 = 4096;
/// The largest number: beyond it, JSON readers disagree (RFC 7493, section 2.2).
pub const MAX_NUMBER: u64 = (1 << 53) - 1;
