//! Layers before they have digests, and the order in which they stand in the manifest.

use super::content::Segments;
use crate::model::FilePath;
use crate::oci::media_type;

/// The kinds of layers, in the order of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKind {
    /// The model manifest.
    Manifest,
    /// A signature over the files and the model manifest.
    Signature,
    /// A graph: an ONNX file, without its large tensors where it was split.
    Graph,
    /// A shard of tensors, or a weights file whole.
    Weights,
    /// What is left of a split file.
    Skeleton,
    /// The smoke tests.
    Tests,
    /// Any other file.
    File,
    /// The smallest of very many files.
    Files,
}

impl LayerKind {
    /// The media type of such a layer.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Manifest => media_type::LAYER_MANIFEST,
            Self::Signature => media_type::LAYER_SIGNATURE,
            Self::Graph => media_type::LAYER_GRAPH,
            Self::Weights => media_type::LAYER_WEIGHTS,
            Self::Skeleton => media_type::LAYER_SKELETON,
            Self::Tests => media_type::LAYER_TESTS,
            Self::File => media_type::LAYER_FILE,
            Self::Files => media_type::LAYER_FILES,
        }
    }

    /// Its name, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Signature => "signature",
            Self::Graph => "graph",
            Self::Weights => "weights",
            Self::Skeleton => "skeleton",
            Self::Tests => "tests",
            Self::File => "file",
            Self::Files => "files",
        }
    }
}

/// A layer to be.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kind: LayerKind,
    /// Sorts layers of a kind: by path, and shards of a graph by number.
    pub(super) order: (FilePath, u64),
    pub(super) path: FilePath,
    pub(super) content: Segments,
    pub(super) tensors: usize,
}

impl Draft {
    /// A layer that sorts by its own path.
    pub(super) fn new(kind: LayerKind, path: FilePath, content: Segments) -> Self {
        Self {
            kind,
            order: (path.clone(), 0),
            path,
            content,
            tensors: 0,
        }
    }
}
