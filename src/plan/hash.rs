//! A composition → the digests of its layers, files and tensors, each content read once.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::SystemTime;

use super::compose::{Composition, Entry};
use super::content::{self, Segment, Segments};
use super::survey::Survey;
use super::{DigestCache, Hashed, PlanError};
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

/// What has to be hashed. What is a whole layer shares the digest of that.
#[derive(Debug)]
pub(super) struct Contents {
    /// First the layers, then the files and tensors that are no whole layers.
    list: Vec<Segments>,
    layers: usize,
    /// By file of the artifact: which content it is.
    entries: Vec<usize>,
    /// By tensor: which content it is, unless it is its layer.
    tensors: Vec<Option<usize>>,
}

impl Contents {
    /// Lists what a composition needs.
    pub(super) fn new(survey: &Survey, composition: &Composition) -> Self {
        let drafts = composition.drafts.iter();
        let mut list: Vec<Segments> = drafts.map(|draft| draft.content.clone()).collect();
        let layers = list.len();
        let mut add = |content| {
            list.push(content);
            list.len() - 1
        };
        let entries = composition.entries.iter().map(|entry| {
            whole_layer(composition, entry).unwrap_or_else(|| add(Segments::whole(&entry.file)))
        });
        let entries = entries.collect();
        let tensors = tensors(survey, composition).into_iter();
        let tensors = tensors.map(|tensor| tensor.map(&mut add)).collect();
        Self {
            list,
            layers,
            entries,
            tensors,
        }
    }

    /// Hashes everything that the cache does not know; tells each layer, by index, as soon as its
    /// digest is known. Where `told` says that no more is wanted, hashing ends with
    /// [`PlanError::GivenUp`].
    pub(super) fn hash(
        &self,
        cache: Option<&DigestCache>,
        told: &(dyn Fn(usize, Digest) -> bool + Sync),
        counter: &Hashed,
    ) -> Result<Digests, PlanError> {
        let begun = SystemTime::now();
        let known: Vec<Option<Digest>> = match cache {
            Some(cache) => self
                .list
                .iter()
                .map(|content| cache.find(content))
                .collect(),
            None => vec![None; self.list.len()],
        };
        let wanted: Vec<usize> = (0..known.len()).filter(|n| known[*n].is_none()).collect();
        let found = Mutex::new(known.clone());
        let hashed = thread::scope(|scope| {
            // Side by side: whoever is told may take a while.
            scope.spawn(|| {
                let known = known[..self.layers].iter().enumerate();
                let mut known = known.filter_map(|(layer, digest)| Some((layer, (*digest)?)));
                known.all(|(layer, digest)| told(layer, digest))
            });
            let told = |content: usize, digest| {
                found.lock().expect("no thread panics")[content] = Some(digest);
                if let Some(cache) = cache {
                    cache.keep(&self.list[content], &digest, begun);
                }
                content >= self.layers || told(content, digest)
            };
            content::digests(&self.list, &wanted, &told, counter)
        });
        if let Some(cache) = cache {
            // What was hashed before something failed need not be hashed again.
            cache.save();
        }
        hashed?;
        let found = found.into_inner().expect("no thread panics");
        Ok(self.digests(|content| found[content].expect("every content was hashed")))
    }

    /// Whether the cache has the digests of all of them.
    pub(super) fn are_known_to(&self, cache: &DigestCache) -> bool {
        self.list
            .iter()
            .all(|content| cache.find(content).is_some())
    }

    /// Digests that stand for those that are not known yet: different ones for different contents,
    /// and the one that everybody knows for nothing.
    pub(super) fn placeholders(&self) -> Digests {
        self.digests(|content| match self.list[content].size() {
            0 => Digest::sha256(b""),
            _ => Digest::sha256(&content.to_be_bytes()),
        })
    }

    fn digests(&self, of: impl Fn(usize) -> Digest) -> Digests {
        let tensors = self.tensors.iter();
        Digests {
            layers: (0..self.layers).map(&of).collect(),
            entries: self.entries.iter().map(|content| of(*content)).collect(),
            tensors: tensors.map(|content| content.map(&of)).collect(),
        }
    }
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
