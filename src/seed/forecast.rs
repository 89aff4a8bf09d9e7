//! What a pull would fetch if an earlier version lay in a folder, without looking at either.

use std::collections::HashSet;

use super::folder::originals;
use super::seeds::Seeds;
use super::steps::Step;
use crate::model::ModelManifest;
use crate::oci::{Descriptor, Manifest, media_type};

/// How many bytes of blobs a pull of an artifact into a folder fetches, if all files of another
/// version were pulled before, in their original form, and are a seed: its model manifest and config
/// in any case, layers that the folder does not have, and of those that it has in part the ranges
/// that [`Seeded`](super::Seeded) asks for. A source that ignores ranges sends more. Pure.
pub fn forecast(new: &Manifest, model: Option<&ModelManifest>, old: &ModelManifest) -> u64 {
    let mut seeds = Seeds::known(new, model);
    // Nothing is read, so that any number will do for a place.
    let covers = originals(old, |_| Some(0));
    seeds.add_model(old, &covers);
    let mut seen = HashSet::new();
    let blobs = new.blobs();
    let once = blobs.filter(|blob| seen.insert((blob.digest, blob.size)));
    once.map(|blob| fetched(&seeds, blob))
        .fold(0, u64::saturating_add)
}

fn fetched(seeds: &Seeds, blob: &Descriptor) -> u64 {
    let steps = match blob.media_type == media_type::LAYER_MANIFEST {
        true => None,
        false => seeds.hoped(blob),
    };
    let Some(steps) = steps else {
        return blob.size;
    };
    let remote = steps.iter().map(|step| match step {
        Step::Remote(range, _) => range.end - range.start,
        Step::Local(_) => 0,
    });
    remote.sum()
}
