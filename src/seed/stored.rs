//! The local store: any blob by its digest, and the tensors of the models that are in it.

use std::collections::HashSet;
use std::io::Read as _;

use super::chain::{Cover, Known, Segment};
use super::place::Place;
use super::seeds::Seeds;
use crate::model::{MAX_MODEL_MANIFEST_SIZE, ModelManifest};
use crate::oci::{Descriptor, Digest, media_type};
use crate::store::Layout;

/// How many models are looked through for tensors, the newest entries first: an earlier version is
/// likely to be among them, and looking costs less than a request.
const MAX_MODELS: usize = 64;
/// How many bytes their model manifests may have together.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024 * 1024;

/// Finds what is wanted in a store. What cannot be read there is left out. Blocks.
pub(super) fn add(seeds: &mut Seeds, layout: &Layout) {
    for (digest, size) in seeds.missing() {
        if layout.blob_size(&digest) == Some(size) {
            let cover = blob(seeds, layout, digest, size);
            let chain = cover.chain(0..size);
            seeds.add_found((digest, size), chain);
        }
    }
    let mut seen = HashSet::new();
    let mut bytes = 0;
    for entry in layout.entries().unwrap_or_default().into_iter().rev() {
        let over = seen.len() == MAX_MODELS || bytes > MAX_MANIFEST_BYTES;
        if over || seeds.missing().is_empty() {
            return;
        }
        let manifest = entry.manifest;
        if media_type::is_manifest(&manifest.media_type) && seen.insert(manifest.digest) {
            bytes += add_model(seeds, layout, &manifest).unwrap_or(0);
        }
    }
}

/// Finds tensors of a model in the store, and says how long its model manifest is.
fn add_model(seeds: &mut Seeds, layout: &Layout, manifest: &Descriptor) -> Option<u64> {
    let document = layout.read_document(&manifest.digest, Some(&manifest.media_type));
    let document = document.ok()?;
    let manifest = document.manifest().ok()?;
    let own = manifest.layers_of(media_type::LAYER_MANIFEST).next()?;
    if own.size > MAX_MODEL_MANIFEST_SIZE {
        return None;
    }
    let mut bytes = Vec::new();
    let (file, _) = layout.open_blob(&own.digest).ok()?;
    file.take(own.size).read_to_end(&mut bytes).ok()?;
    let model = ModelManifest::parse(&bytes, manifest).ok()?;
    let covers: Vec<Cover> = model
        .layers
        .iter()
        .map(|layer| match layout.blob_size(&layer.digest) {
            Some(size) if size == layer.size && size > 0 => blob(seeds, layout, layer.digest, size),
            _ => Cover::default(),
        })
        .collect();
    seeds.add_model(&model, &covers);
    Some(own.size)
}

/// A layer that is a blob.
fn blob(seeds: &mut Seeds, layout: &Layout, digest: Digest, length: u64) -> Cover {
    let place = seeds.add_place(Place::Blob(layout.clone(), digest));
    let segment = Segment::File {
        place,
        offset: 0,
        length,
    };
    Cover::new(vec![Known { start: 0, segment }])
}
