//! A composition → the digests of its layers, files and tensors, each content read once.

use std::sync::Arc;

use super::PlanError;
use super::compose::{Composition, Entry};
use super::content::{self, Segment, Segments};
use super::survey::Survey;
use crate::oci::Digest;

/// The digests of a composition.
#[derive(Debug)]
pub(super) struct Digests {
    /// Of the layers.
    pub(super) layers: Vec<Digest>,
    /// Of the files.
    pub(super) entries: Vec<Digest>,
    /// Of the tensors; `None` for one that is its whole layer.
    pub(super) tensors: Vec<Option<Digest>>,
}

/// Hashes everything. What is a whole layer shares the digest of that.
pub(super) fn digests(survey: &Survey, composition: &Composition) -> Result<Digests, PlanError> {
    let drafts = composition.drafts.iter();
    let layers: Vec<Segments> = drafts.map(|draft| draft.content.clone()).collect();
    let entries = composition.entries.iter();
    let whole: Vec<Option<usize>> = entries
        .map(|entry| whole_layer(composition, entry))
        .collect();
    let entries = composition.entries.iter().zip(&whole);
    let files = entries
        .filter(|(_, whole)| whole.is_none())
        .map(|(entry, _)| Segments::whole(&entry.file));
    let tensors = tensors(survey, composition);
    let count = layers.len();
    let contents = layers.into_iter().chain(files);
    let contents: Vec<Segments> = contents.chain(tensors.iter().flatten().cloned()).collect();
    let mut found = content::digests(&contents)?.into_iter();
    let layers: Vec<Digest> = found.by_ref().take(count).collect();
    let mut next = || found.next().expect("a digest for each content");
    let entries = whole.into_iter();
    let entries = entries.map(|whole| whole.map_or_else(&mut next, |layer| layers[layer]));
    let entries = entries.collect();
    let tensors = tensors.iter().map(|tensor| tensor.as_ref().map(|_| next()));
    let tensors = tensors.collect();
    Ok(Digests {
        layers,
        entries,
        tensors,
    })
}

/// The layer that a file is, if it is one.
fn whole_layer(composition: &Composition, entry: &Entry) -> Option<usize> {
    let [extent] = entry.extents.as_slice() else {
        return None;
    };
    let layer = extent.layer as usize;
    let size = composition.drafts[layer].content.size();
    (extent.length == size).then_some(layer)
}

/// The contents of the tensors that share a layer with others.
fn tensors(survey: &Survey, composition: &Composition) -> Vec<Option<Segments>> {
    let tensors = composition.tensors.iter();
    tensors
        .map(|&(graph, index, place)| {
            if place.length == composition.drafts[place.shard].content.size() {
                return None;
            }
            let model = survey.files[graph].model.as_ref();
            let tensor = &model.expect("tensors are of graphs").tensors[index];
            let place = survey.place(graph, &tensor.content);
            let (file, offset, length) = place.expect("what left stood somewhere");
            Some(Segments::from_iter([Segment::Range {
                file: Arc::clone(&survey.files[file].file),
                offset,
                length,
            }]))
        })
        .collect()
}
