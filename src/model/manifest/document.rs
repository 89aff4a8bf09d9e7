//! The document itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{File, Graph, MAX_NUMBER, Sha256};
use crate::model::FilePath;
use crate::oci::Digest;

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
