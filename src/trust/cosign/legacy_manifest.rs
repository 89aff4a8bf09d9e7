//! The manifest under a `.sig` tag and its config, with layers appended. What other tools have written
//! into either stays as it is, members that nobody here knows included.

use serde_json::{Value, json};

use crate::oci::{Descriptor, Document, OciError, json as strict, media_type};
use crate::trust::TrustError;

/// The config of an image, which cosign gives to its signatures, too.
pub(super) const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The largest config that is read, in bytes: room for some 10,000 signatures.
pub(super) const MAX_CONFIG_SIZE: u64 = 1024 * 1024;
/// What go-containerregistry writes for a date that is not known.
const NO_DATE: &str = "0001-01-01T00:00:00Z";

/// Those of the layers that the document does not list: the same blob can hold several signatures.
pub(super) fn missing(
    document: &Document,
    layers: &[Descriptor],
) -> Result<Vec<Descriptor>, OciError> {
    let listed = &document.manifest()?.layers;
    let is_listed = |layer: &&Descriptor| {
        let same = |other: &Descriptor| {
            other.digest == layer.digest && other.annotations == layer.annotations
        };
        listed.iter().any(same)
    };
    Ok(layers
        .iter()
        .filter(|layer| !is_listed(layer))
        .cloned()
        .collect())
}

/// A config and a manifest with these layers and nothing else.
pub(super) fn new(layers: &[Descriptor]) -> (Vec<u8>, Document) {
    let config = json!({
        "architecture": "", "created": NO_DATE, "history": [], "os": "",
        "rootfs": {"type": "layers", "diff_ids": []}, "config": {},
    });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": {}, "layers": [],
    });
    write(config, manifest, layers).expect("both have the form that is looked for")
}

/// The config and the manifest of a document with further layers.
pub(super) fn appended(
    current: &Document,
    config: &[u8],
    layers: &[Descriptor],
) -> Result<(Vec<u8>, Document), TrustError> {
    let malformed = |reason: &str| TrustError::Legacy(reason.to_owned());
    let config = strict::from_slice(config).map_err(|error| malformed(&error.to_string()))?;
    let manifest = strict::from_slice(current.raw());
    let manifest = manifest.map_err(|error| malformed(&error.to_string()))?;
    write(config, manifest, layers).ok_or_else(|| malformed("its config lists no `diff_ids`"))
}

fn write(
    mut config: Value,
    mut manifest: Value,
    layers: &[Descriptor],
) -> Option<(Vec<u8>, Document)> {
    // Signatures are not compressed: their digests are those of what they hold.
    let diff_ids = config.pointer_mut("/rootfs/diff_ids")?.as_array_mut()?;
    diff_ids.extend(layers.iter().map(|layer| json!(layer.digest)));
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        history.extend(layers.iter().map(|_| json!({"created": NO_DATE})));
    }
    let config = config.to_string().into_bytes();
    manifest["config"] = json!(Descriptor::of(IMAGE_CONFIG, &config));
    let listed = manifest.get_mut("layers")?.as_array_mut()?;
    listed.extend(layers.iter().map(|layer| json!(layer)));
    let manifest = Document::parse(manifest.to_string().into_bytes(), None).ok()?;
    Some((config, manifest))
}
