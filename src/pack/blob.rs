//! The blobs of a plan: layers and config, each with its content and a name for people.

use crate::oci::{Descriptor, OciError};
use crate::plan::{ArtifactPlan, PlannedLayer, Segments};

/// A blob, and what to call it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) descriptor: Descriptor,
    pub(super) content: Segments,
    pub(super) name: String,
}

impl From<PlannedLayer> for Blob {
    fn from(layer: PlannedLayer) -> Self {
        Self {
            descriptor: layer.descriptor,
            content: layer.content,
            name: format!("`{}`", layer.path),
        }
    }
}

/// The layers and the config, each digest once.
pub(super) fn blobs(plan: &ArtifactPlan) -> Result<Vec<Blob>, OciError> {
    let layers = plan.layers.iter().cloned().map(Blob::from);
    let config = Blob {
        descriptor: plan.manifest.manifest()?.config.clone(),
        content: plan.config.clone().into(),
        name: "the config".to_owned(),
    };
    let mut blobs: Vec<Blob> = layers.chain([config]).collect();
    blobs.sort_by_key(|blob| blob.descriptor.digest);
    blobs.dedup_by_key(|blob| blob.descriptor.digest);
    Ok(blobs)
}
