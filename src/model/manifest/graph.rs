//! What the model manifest says of graphs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::FilePath;

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
