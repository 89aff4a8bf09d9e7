//! The model manifest of an artifact, out of any store.

use crate::Result;
use crate::model::{MAX_MODEL_MANIFEST_SIZE, ModelError, ModelManifest, foreign};
use crate::oci::{self, Document, media_type};
use crate::store::{Storage, fetch_small};

/// Fetches and checks the model manifest. An artifact of another tool has none: then one is made
/// from its layers, if each is a file.
pub async fn fetch_manifest(source: &impl Storage, artifact: &Document) -> Result<ModelManifest> {
    let fetched = fetch(source, artifact.manifest()?).await?;
    Ok(fetched.model)
}

/// A model manifest and the bytes that it came in.
pub(super) struct Fetched {
    pub(super) model: ModelManifest,
    /// What is written to [`MANIFEST_PATH`](crate::model::MANIFEST_PATH); empty for an artifact of
    /// another tool.
    pub(super) bytes: Vec<u8>,
}

pub(super) async fn fetch(source: &impl Storage, manifest: &oci::Manifest) -> Result<Fetched> {
    let Some(layer) = manifest.layers_of(media_type::LAYER_MANIFEST).next() else {
        let model = foreign::manifest(manifest).map_err(ModelError::from)?;
        let bytes = Vec::new();
        return Ok(Fetched { model, bytes });
    };
    ModelManifest::check_size(layer.size)?;
    let bytes = fetch_small(source, layer, MAX_MODEL_MANIFEST_SIZE).await?;
    let model = ModelManifest::parse(&bytes, manifest)?;
    Ok(Fetched { model, bytes })
}
