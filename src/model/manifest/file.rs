//! What the model manifest says of files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Extent, MAX_NUMBER, Sha256};
use crate::model::FilePath;

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
