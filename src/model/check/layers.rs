//! The layers of the model manifest against those of the OCI manifest.

use super::paths::media_type_of;
use super::{Rule, Violation};
use crate::model::{Layer, MANIFEST_PATH, MAX_FILE_LAYERS, ModelManifest, SIGNATURES_FOLDER};
use crate::oci::{self, Descriptor, annotation, media_type};

/// The media types that a layer may have, and how many layers of each there may be.
const TYPES: [(&str, usize); 8] = [
    (media_type::LAYER_MANIFEST, 1),
    (media_type::LAYER_SIGNATURE, usize::MAX),
    (media_type::LAYER_GRAPH, usize::MAX),
    (media_type::LAYER_WEIGHTS, usize::MAX),
    (media_type::LAYER_SKELETON, usize::MAX),
    (media_type::LAYER_TESTS, 1),
    (media_type::LAYER_FILE, MAX_FILE_LAYERS),
    (media_type::LAYER_FILES, 1),
];

/// Checks that `layers` are exactly the OCI manifest's without the model manifest and signatures.
pub(super) fn check(manifest: &ModelManifest, oci: &oci::Manifest) -> Result<(), Violation> {
    check_types(oci)?;
    let mut layers = manifest.layers.iter().enumerate();
    for (index, descriptor) in oci.layers.iter().enumerate() {
        match descriptor.media_type.as_str() {
            media_type::LAYER_MANIFEST => check_title(index, descriptor, MANIFEST_PATH)?,
            media_type::LAYER_SIGNATURE => check_signature(index, descriptor)?,
            _ => {
                let (at, layer) = layers.next().ok_or_else(|| {
                    let detail = format!("it does not list layers[{index}] of the OCI manifest");
                    Violation::new(Rule::LayerMatch, detail)
                })?;
                check_equal(at, layer, descriptor)?;
                check_title(index, descriptor, layer.path.as_str())?;
                check_path(manifest, index, descriptor, layer)?;
            }
        }
    }
    match layers.next() {
        Some((at, layer)) => {
            let detail = format!("layers[{at}] (`{}`) is not in the OCI manifest", layer.path);
            Err(Violation::new(Rule::LayerMatch, detail))
        }
        None => Ok(()),
    }
}

fn check_types(oci: &oci::Manifest) -> Result<(), Violation> {
    let is_unknown = |layer: &&Descriptor| TYPES.iter().all(|(name, _)| *name != layer.media_type);
    if let Some(layer) = oci.layers.iter().find(is_unknown) {
        let detail = format!(
            "layer `{}` has the unknown media type {:?}",
            layer.digest, layer.media_type
        );
        return Err(Violation::new(Rule::LayerType, detail));
    }
    for (name, limit) in TYPES {
        let count = oci.layers_of(name).count();
        if count > limit || (name == media_type::LAYER_MANIFEST && count == 0) {
            let detail = format!("there are {count} layers of type `{name}`, expected {limit}");
            return Err(Violation::new(Rule::LayerType, detail));
        }
    }
    Ok(())
}

fn check_equal(at: usize, layer: &Layer, descriptor: &Descriptor) -> Result<(), Violation> {
    if layer.digest == descriptor.digest && layer.size == descriptor.size {
        return Ok(());
    }
    let detail = format!(
        "layers[{at}] is `{}` of {} bytes, the OCI manifest has `{}` of {} bytes",
        layer.digest, layer.size, descriptor.digest, descriptor.size
    );
    Err(Violation::new(Rule::LayerMatch, detail))
}

/// Checks both annotations: tools that know only one of them must write the same file.
fn check_title(index: usize, descriptor: &Descriptor, path: &str) -> Result<(), Violation> {
    for key in [annotation::TITLE, annotation::FILEPATH] {
        let name = descriptor.annotations.get(key).map(String::as_str);
        if name != Some(path) {
            let detail = format!(
                "layers[{index}] of the OCI manifest has `{key}` {:?}, expected `{path}`",
                name.unwrap_or_default()
            );
            return Err(Violation::new(Rule::LayerTitle, detail));
        }
    }
    Ok(())
}

fn check_signature(index: usize, descriptor: &Descriptor) -> Result<(), Violation> {
    let title = descriptor.title().unwrap_or_default();
    if signature_number(title).is_none() {
        let detail = format!(
            "layers[{index}] of the OCI manifest is a signature with the path {title:?}, expected `{SIGNATURES_FOLDER}/N.sig`"
        );
        return Err(Violation::new(Rule::LayerPath, detail));
    }
    check_title(index, descriptor, title)
}

/// The `N` of `.modelctl/signatures/N.sig`.
fn signature_number(path: &str) -> Option<u16> {
    let name = path.strip_prefix(SIGNATURES_FOLDER)?.strip_prefix('/')?;
    let number: u16 = name.strip_suffix(".sig")?.parse().ok()?;
    // Neither `+1` nor `01`: two layers would have one number.
    (name == format!("{number}.sig")).then_some(number)
}

fn check_path(
    manifest: &ModelManifest,
    index: usize,
    descriptor: &Descriptor,
    layer: &Layer,
) -> Result<(), Violation> {
    let media_type = descriptor.media_type.as_str();
    let fits = match media_type_of(&layer.path) {
        Some(expected) => media_type == expected,
        None => match media_type {
            media_type::LAYER_GRAPH => manifest.files.iter().any(|file| file.path == layer.path),
            media_type::LAYER_WEIGHTS | media_type::LAYER_FILE => true,
            _ => false,
        },
    };
    if fits {
        return Ok(());
    }
    let detail = format!(
        "layers[{index}] of the OCI manifest has the type `{media_type}` and the path `{}`",
        layer.path
    );
    Err(Violation::new(Rule::LayerPath, detail))
}
