//! Plans of artifacts, and what they hold, read back through their extents.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modelctl::plan::{self, ArtifactPlan, LayerKind, PlanOptions};
use modelctl::store::BlobSource as _;

/// Writes files below a folder.
pub(crate) fn write(folder: &Path, files: &[(&str, Vec<u8>)]) {
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// Plans a folder with nothing said about it.
pub(crate) fn plan(folder: &Path) -> ArtifactPlan {
    plan::build(folder, &PlanOptions::default()).unwrap()
}

/// Why a folder cannot be planned.
pub(crate) fn refusal(folder: &Path) -> String {
    match plan::build(folder, &PlanOptions::default()) {
        Ok(_) => panic!("{} was planned", folder.display()),
        Err(error) => error.to_string(),
    }
}

/// The content of every layer, by path.
pub(crate) fn layers(plan: &ArtifactPlan) -> BTreeMap<String, Vec<u8>> {
    let layers = plan.layers.iter().map(|layer| {
        let mut content = Vec::new();
        let mut reader = layer.content.open_at(0).unwrap();
        reader.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, layer.descriptor.size);
        (layer.path.to_string(), content)
    });
    layers.collect()
}

/// The files of the model, put together from their extents as a pull does it.
pub(crate) fn files(plan: &ArtifactPlan) -> BTreeMap<String, Vec<u8>> {
    let layers = layers(plan);
    let manifest = &plan.model_manifest;
    let files = manifest.files.iter().map(|file| {
        let mut content = Vec::new();
        for extent in &file.extents {
            let layer = &manifest.layers[extent.layer as usize];
            let start = extent.offset as usize;
            content.extend(&layers[layer.path.as_str()][start..][..extent.length as usize]);
        }
        (file.path.to_string(), content)
    });
    files.collect()
}

/// The paths of the layers of a kind, in order.
pub(crate) fn paths(plan: &ArtifactPlan, kind: LayerKind) -> Vec<&str> {
    let layers = plan.layers.iter().filter(|layer| layer.kind == kind);
    layers.map(|layer| layer.path.as_str()).collect()
}

/// The digests of the layers of a kind, in order.
pub(crate) fn digests(plan: &ArtifactPlan, kind: LayerKind) -> Vec<String> {
    let layers = plan.layers.iter().filter(|layer| layer.kind == kind);
    layers
        .map(|layer| layer.descriptor.digest.to_string())
        .collect()
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let causes: String = causes.map(|cause| format!(": {cause}")).collect();
    format!("{error}{causes}")
}
