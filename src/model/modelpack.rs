//! The CNCF ModelPack config document (`modelpack/model-spec`, `docs/config.md`).
//!
//! It is the config blob of a modelctl model, so that ModelPack tools can show its name, format
//! and precision. The schema of the specification is closed at every level: nothing private goes
//! in here. Members that changed between v0.0.7 and its successor are not written.

use serde::{Deserialize, Serialize};

use crate::oci::Digest;

/// The config document. Unknown members are tolerated on read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// What the model is.
    pub descriptor: ModelDescriptor,
    /// How its weights are stored.
    pub config: Technical,
    /// Its layers.
    pub modelfs: ModelFs,
}

/// `descriptor`: every member is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelDescriptor {
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SPDX licence expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
}

/// `config`: every member is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technical {
    /// The format of the model: `onnx`, `safetensors`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The element types of the weights, comma-separated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

/// `modelfs`: both members are required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digests of the uncompressed layers, in order; of raw layers, the digests of the layers.
    pub diff_ids: Vec<Digest>,
}

impl ModelFs {
    /// The digests of raw layers.
    pub fn new(diff_ids: Vec<Digest>) -> Self {
        Self {
            kind: "layers".to_owned(),
            diff_ids,
        }
    }
}

impl ModelConfig {
    /// The document as compact JSON: the same bytes for the same values, always.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("the types have string keys and no floats")
    }
}

/// The name that ModelPack has for an ONNX element type, if it has one.
pub fn precision(dtype: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 17] = [
        ("float", "float32"),
        ("double", "float64"),
        ("float16", "float16"),
        ("bfloat16", "bfloat16"),
        ("float8e4m3fn", "float8_e4m3"),
        ("float8e5m2", "float8_e5m2"),
        ("complex64", "complex64"),
        ("complex128", "complex128"),
        ("int8", "int8"),
        ("int16", "int16"),
        ("int32", "int32"),
        ("int64", "int64"),
        ("uint8", "uint8"),
        ("uint16", "uint16"),
        ("uint32", "uint32"),
        ("uint64", "uint64"),
        ("bool", "bool"),
    ];
    let found = NAMES.iter().find(|(onnx, _)| *onnx == dtype);
    found.map(|(_, name)| *name)
}
