//! What the new artifact is made of: its layers, and the tensors that stand in them.

use std::collections::{HashMap, HashSet};

use crate::model::ModelManifest;
use crate::oci::{Descriptor, Digest};

/// Content by its digest and its length in bytes: whatever has both is the same.
pub(super) type Key = (Digest, u64);

/// A range of a layer whose SHA-256 is known: a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Offset in the layer, in bytes.
    pub(super) offset: u64,
    /// Length in bytes, never 0.
    pub(super) length: u64,
    /// The digest of its bytes.
    pub(super) digest: Digest,
}

impl Part {
    pub(super) fn end(&self) -> u64 {
        self.offset + self.length
    }

    pub(super) fn key(&self) -> Key {
        (self.digest, self.length)
    }
}

/// What may be taken from seeds.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    keys: HashSet<Key>,
    /// By the layer's digest; sorted, none begins before the one before has ended.
    parts: HashMap<Digest, Vec<Part>>,
}

impl Wanted {
    /// What an artifact needs. One without a model manifest has layers only.
    pub(super) fn new(layers: &[Descriptor], model: Option<&ModelManifest>) -> Self {
        let mut wanted = Self::default();
        let layers = layers.iter().filter(|layer| layer.size > 0);
        wanted
            .keys
            .extend(layers.map(|layer| (layer.digest, layer.size)));
        let Some(model) = model else {
            return wanted;
        };
        for tensor in &model.tensors {
            let Some(sha256) = tensor.sha256.filter(|_| tensor.length > 0) else {
                continue;
            };
            let layer = &model.layers[tensor.layer as usize];
            wanted.parts.entry(layer.digest).or_default().push(Part {
                offset: tensor.offset,
                length: tensor.length,
                digest: sha256.digest(),
            });
        }
        for parts in wanted.parts.values_mut() {
            parts.sort_by_key(|part| (part.offset, part.length));
            let mut end = 0;
            // What overlaps is one region that several graphs use: its first tensor will do.
            parts.retain(|part| {
                let begins_later = part.offset >= end;
                end = if begins_later { part.end() } else { end };
                begins_later
            });
            wanted.keys.extend(parts.iter().map(Part::key));
        }
        wanted
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    /// Everything that is wanted, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The known parts of a layer, in order.
    pub(super) fn parts(&self, layer: &Digest) -> &[Part] {
        self.parts.get(layer).map_or(&[], Vec::as_slice)
    }
}
