//! The plan of an artifact: everything that packing would write, and nothing written yet.

use super::content::Segments;
use super::layer::LayerKind;
use crate::model::{FilePath, ModelManifest};
use crate::oci::{Descriptor, Document};

/// An artifact, ready to be stored: layers, then config, then manifest.
#[derive(Debug, Clone)]
pub struct ArtifactPlan {
    /// The layers, in order; the first is the model manifest, the next its signature if it
    /// has one.
    pub layers: Vec<PlannedLayer>,
    /// The config blob: a ModelPack config document. The manifest has its descriptor.
    pub config: Vec<u8>,
    /// What the first layer says.
    pub model_manifest: ModelManifest,
    /// The manifest; its digest is the digest of the artifact.
    pub manifest: Document,
    /// What of the folder was left out, sorted; a folder is one entry and ends in `/`.
    pub left_out: Vec<String>,
}

/// A layer, and where its bytes come from.
#[derive(Debug, Clone)]
pub struct PlannedLayer {
    /// Its descriptor, with the path as title and file path.
    pub descriptor: Descriptor,
    /// Its content.
    pub content: Segments,
    /// What kind of layer it is.
    pub kind: LayerKind,
    /// The path of its file.
    pub path: FilePath,
    /// How many files of the model are in it, whole or in part.
    pub files: usize,
    /// How many tensors stand in it.
    pub tensors: usize,
}

impl ArtifactPlan {
    /// The length of the original files, in bytes.
    pub fn original_size(&self) -> u64 {
        let files = self.model_manifest.files.iter();
        files.map(|file| file.size).sum()
    }

    /// The length of all blobs, manifest and config included, in bytes.
    pub fn stored_size(&self) -> u64 {
        let layers = self.layers.iter();
        let layers: u64 = layers.map(|layer| layer.descriptor.size).sum();
        layers + (self.config.len() + self.manifest.raw().len()) as u64
    }
}
