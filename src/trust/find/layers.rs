//! Signatures in the artifact itself, which every copy tool keeps.

use super::Source;
use super::search::{Form, Wanted};
use crate::model::Sha256;
use crate::oci::{Document, Kind, media_type};
use crate::trust::oms::PREDICATE_TYPE;

/// The signature layers of a manifest; an index has none.
pub(super) fn of(artifact: &Document) -> Vec<Wanted> {
    let Kind::Manifest(manifest) = artifact.kind() else {
        return Vec::new();
    };
    let layers = manifest.layers_of(media_type::LAYER_SIGNATURE);
    let wanted = layers.map(|layer| Wanted {
        source: Source::Layer {
            path: match layer.title() {
                Some(title) => title.to_owned(),
                None => layer.digest.to_string(),
            },
        },
        blob: layer.clone(),
        form: Form::Bundle {
            claimed: Some(PREDICATE_TYPE.to_owned()),
        },
    });
    wanted.collect()
}

/// The SHA-256 of the model manifest.
pub(super) fn model_manifest(artifact: &Document) -> Option<Sha256> {
    let manifest = artifact.manifest().ok()?;
    let mut layers = manifest.layers_of(media_type::LAYER_MANIFEST);
    Sha256::try_from(layers.next()?.digest).ok()
}
