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

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FilePath;
use crate::oci::Digest;

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
/// The largest number: beyond it, JSON readers disagree (RFC 7493, section 2.2).
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The model manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelManifest {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Features that a reader must know; an unknown one is refused. Version 1 has none.
    #[serde(default)]
    #[schemars(length(max = 0))]
    pub requires: Vec<String>,
    /// The name of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SPDX licence expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
    /// Annotations given by the packer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The format of the model: `onnx`, `safetensors`, `gguf`, …, or `other`.
    pub format: String,
    /// The layers of the artifact but for the model manifest and the signatures, in order.
    pub layers: Vec<Layer>,
    /// The files of the model, sorted by path.
    pub files: Vec<File>,
    /// The ONNX graphs among the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub graphs: Vec<Graph>,
    /// The tensors that stand in weights layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tensors: Vec<Tensor>,
    /// The smoke tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
}

/// A layer of the OCI manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// The digest of the layer.
    pub digest: Digest,
    /// Its length in bytes.
    #[schemars(range(max = MAX_NUMBER))]
    pub size: u64,
    /// Its title in the OCI manifest.
    pub path: FilePath,
}

/// A file of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Where it stands in the folder of the model.
    pub path: FilePath,
    /// Its length in bytes.
    #[schemars(range(max = MAX_NUMBER))]
    pub size: u64,
    /// The SHA-256 of its content, lower-case hex: what `sha256sum` prints.
    pub sha256: Sha256,
    /// Whether it is executable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// What it is for.
    pub role: Role,
    /// The ranges of layers that are the file when put one after the other.
    pub extents: Vec<Extent>,
}

/// A SHA-256 in bare hex, as in `sha256sum` and in model signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

/// `[layer, offset, length]`: `length` bytes at `offset` of `layers[layer]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u64, u64)", into = "(u32, u64, u64)")]
pub struct Extent {
    /// Index into [`ModelManifest::layers`].
    pub layer: u32,
    /// Offset in the layer, in bytes.
    pub offset: u64,
    /// Length in bytes, never 0.
    pub length: u64,
}

/// What a file is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A model graph (ONNX, `saved_model.pb`, …).
    Graph,
    /// Weights.
    Weights,
    /// A tokenizer, vocabulary or merges file.
    Tokenizer,
    /// Configuration.
    Config,
    /// Class labels.
    Labels,
    /// A licence.
    License,
    /// A model card, a README or other documentation.
    Doc,
    /// Source code.
    Code,
    /// An input or output of a smoke test.
    Test,
    /// Anything else.
    Other,
}

/// What can be said of an ONNX graph without its weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    /// The path of the ONNX file.
    pub path: FilePath,
    /// The IR version of the model.
    pub ir_version: i64,
    /// What it takes and gives; initializers are not inputs.
    pub interface: Interface,
    /// The operator sets imported, by domain (empty: `ai.onnx`).
    pub opsets: Vec<Opset>,
    /// The operators used, sorted by domain and type.
    pub operators: Vec<Operator>,
    /// Who made the model.
    pub producer: Producer,
}

/// Inputs and outputs, in the order of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// What the graph takes.
    pub inputs: Vec<Value>,
    /// What the graph gives.
    pub outputs: Vec<Value>,
}

/// An input or output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// The ONNX element type in lower case (`float`, `int64`, …), or the kind of a value that is
    /// not a tensor (`sequence`, `map`, `optional`, `sparse_tensor`).
    pub dtype: String,
    /// Its dimensions; absent where the rank is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<Dimension>>,
}

/// A dimension: a number, a symbol, or unknown (null).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Dimension {
    /// A fixed length.
    Fixed(u64),
    /// A symbol: equal symbols are equal lengths.
    Symbol(String),
    /// Any length.
    Unknown(()),
}

/// An operator set that a model imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Opset {
    /// The domain; empty for the standard one.
    pub domain: String,
    /// The version.
    pub version: i64,
}

/// How often an operator is used, in the graph, its subgraphs and its functions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Operator {
    /// The domain; empty for the standard one.
    pub domain: String,
    /// The operator.
    #[serde(rename = "type")]
    pub op_type: String,
    /// How many nodes.
    pub count: u64,
}

/// The producer fields of an ONNX model; empty ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Producer {
    /// `producer_name`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `producer_version`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `domain`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
}

/// A tensor that stands in a weights layer. Graph, scope and name identify it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tensor {
    /// The path of the graph that uses it.
    pub graph: FilePath,
    /// Where in the graph it is: output names, attributes and functions; empty at the top.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its name; of a Constant, the output of the node.
    pub name: String,
    /// The ONNX element type in lower case.
    pub dtype: String,
    /// Its dimensions.
    pub shape: Vec<u64>,
    /// Index into [`ModelManifest::layers`].
    pub layer: u32,
    /// Offset in the layer, in bytes.
    #[schemars(range(max = MAX_NUMBER))]
    pub offset: u64,
    /// Length in bytes.
    #[schemars(range(max = MAX_NUMBER))]
    pub length: u64,
    /// The SHA-256 of its bytes; absent where the tensor is its whole layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
}

/// A smoke test: inputs and the outputs that they must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Test {
    /// The name of the case: its files are `.modelctl/tests/<case>/{input,output}_N.pb`.
    #[schemars(regex(pattern = r"^(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+$"))]
    pub case: String,
    /// The graph that it runs.
    pub graph: FilePath,
    /// Relative tolerance.
    #[schemars(range(min = 0.0))]
    pub rtol: f64,
    /// Absolute tolerance.
    #[schemars(range(min = 0.0))]
    pub atol: f64,
    /// The shapes of the inputs, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<u64>>,
}

impl ModelManifest {
    /// Writes the manifest: compact JSON, members in the order of the types, maps sorted. Equal
    /// manifests give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("the types have string keys only")
    }

    /// The sum of all file sizes in bytes: what pulling the model writes.
    pub fn total_size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The index of the layer that a file is, byte for byte.
    pub fn whole_layer(&self, file: &File) -> Option<usize> {
        let [extent] = file.extents[..] else {
            return None;
        };
        let index = extent.layer as usize;
        let layer = self.layers.get(index)?;
        (extent.offset == 0 && extent.length == layer.size).then_some(index)
    }
}

impl From<(u32, u64, u64)> for Extent {
    fn from((layer, offset, length): (u32, u64, u64)) -> Self {
        Self {
            layer,
            offset,
            length,
        }
    }
}

impl From<Extent> for (u32, u64, u64) {
    fn from(extent: Extent) -> Self {
        (extent.layer, extent.offset, extent.length)
    }
}

impl JsonSchema for Extent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Extent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "`[layer, offset, length]`: `length` bytes at `offset` of `layers[layer]`.",
            "type": "array",
            "prefixItems": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "integer", "minimum": 0, "maximum": MAX_NUMBER },
                { "type": "integer", "minimum": 1, "maximum": MAX_NUMBER },
            ],
            "minItems": 3,
            "maxItems": 3,
        })
    }
}

impl Role {
    /// The name in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Weights => "weights",
            Self::Tokenizer => "tokenizer",
            Self::Config => "config",
            Self::Labels => "labels",
            Self::License => "license",
            Self::Doc => "doc",
            Self::Code => "code",
            Self::Test => "test",
            Self::Other => "other",
        }
    }
}

impl Sha256 {
    /// The value as an OCI digest.
    pub fn digest(&self) -> Digest {
        Digest::from_sha256(self.0)
    }

    /// Lower-case hex.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl TryFrom<Digest> for Sha256 {
    type Error = Digest;

    fn try_from(digest: Digest) -> Result<Self, Digest> {
        digest.value().try_into().map(Self).map_err(|_| digest)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest: Digest = format!("sha256:{text}")
            .parse()
            .map_err(serde::de::Error::custom)?;
        Self::try_from(digest).map_err(|_| serde::de::Error::custom("expected 64 hex characters"))
    }
}

impl JsonSchema for Sha256 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sha256".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}
