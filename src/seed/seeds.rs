//! What an artifact can take from this machine, and what it took.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::chain::{Chain, Cover};
use super::place::Place;
use super::steps::{self, Step};
use super::wanted::{Key, Part, Wanted};
use super::{SeedError, folder, stored};
use crate::Result;
use crate::model::{MAX_MODEL_MANIFEST_SIZE, ModelManifest};
use crate::oci::{Descriptor, Digest, Document, Kind, Manifest, media_type};
use crate::store::{Layout, Storage, fetch_small};

/// How many places are kept for the same content: where one is wrong the next is tried.
const MAX_CHAINS: usize = 2;

/// Places on this machine that may have content of one artifact.
#[derive(Debug, Default)]
pub struct Seeds {
    wanted: Wanted,
    places: Vec<Place>,
    found: HashMap<Key, Vec<Chain>>,
    /// The model manifest, which was fetched to know what is wanted.
    manifest: Option<(Digest, Vec<u8>)>,
    /// Blobs that were given once already.
    spent: Mutex<HashSet<Digest>>,
    reused: AtomicU64,
    fetched: AtomicU64,
}

/// How much of what was read came from where, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Saved {
    /// From this machine.
    pub reused: u64,
    /// From the source.
    pub fetched: u64,
}

impl Seeds {
    /// Finds out what an artifact needs; its model manifest is fetched. An index, and an artifact
    /// whose model manifest cannot be used, have fewer seeds, or none: whoever needs the manifest
    /// says what is wrong with it.
    pub async fn of(source: &impl Storage, artifact: &Document) -> Result<Self> {
        let Kind::Manifest(manifest) = artifact.kind() else {
            return Ok(Self::default());
        };
        let own = manifest.layers_of(media_type::LAYER_MANIFEST).next();
        let Some(own) = own.filter(|own| own.size <= MAX_MODEL_MANIFEST_SIZE) else {
            return Ok(Self::known(manifest, None));
        };
        let bytes = fetch_small(source, own, MAX_MODEL_MANIFEST_SIZE).await?;
        let model = ModelManifest::parse(&bytes, manifest).ok();
        Ok(Self {
            fetched: AtomicU64::new(bytes.len() as u64),
            manifest: Some((own.digest, bytes)),
            ..Self::known(manifest, model.as_ref())
        })
    }

    /// Seeds of an artifact whose model manifest is known already.
    pub(super) fn known(artifact: &Manifest, model: Option<&ModelManifest>) -> Self {
        Self {
            wanted: Wanted::new(&artifact.layers, model),
            ..Self::default()
        }
    }

    /// The same where the model manifest lies in the local store: nothing is fetched then.
    pub async fn of_stored(store: &Layout, artifact: &Document) -> Option<Self> {
        let mut seeds = Self::of(store, artifact).await.ok()?;
        seeds.fetched = AtomicU64::default();
        Some(seeds)
    }

    /// Looks through the local store: for blobs by their digest, and for tensors in the models that
    /// are there. Blocks.
    pub fn add_store(&mut self, layout: &Layout) {
        stored::add(self, layout);
    }

    /// Looks through a folder with a model manifest: an earlier pull in either form, or what oras
    /// wrote. Links in it are not followed. Blocks.
    pub fn add_folder(&mut self, path: &Path) -> Result<(), SeedError> {
        folder::add(self, path)
    }

    /// What came from where so far. Bytes that were found wrong are not counted as reused.
    pub fn saved(&self) -> Saved {
        Saved {
            reused: self.reused.load(Ordering::Relaxed),
            fetched: self.fetched.load(Ordering::Relaxed),
        }
    }

    /// Adds a file that chains can name.
    pub(super) fn add_place(&mut self, place: Place) -> usize {
        self.places.push(place);
        self.places.len() - 1
    }

    /// Adds what is wanted of a model; the covers say where each of its layers is.
    pub(super) fn add_model(&mut self, model: &ModelManifest, covers: &[Cover]) {
        for (layer, cover) in model.layers.iter().zip(covers) {
            self.add_found_in((layer.digest, layer.size), || cover.chain(0..layer.size));
        }
        for tensor in &model.tensors {
            let index = tensor.layer as usize;
            if let Some(sha256) = tensor.sha256 {
                let range = tensor.offset..tensor.offset + tensor.length;
                let key = (sha256.digest(), tensor.length);
                self.add_found_in(key, || covers[index].chain(range));
            }
        }
    }

    fn add_found_in(&mut self, key: Key, chain: impl FnOnce() -> Option<Chain>) {
        let found = self.found.get(&key).map_or(0, Vec::len);
        if key.1 > 0 && found < MAX_CHAINS && self.wanted.contains(&key) {
            self.add_found(key, chain());
        }
    }

    /// Adds a place of wanted content.
    pub(super) fn add_found(&mut self, key: Key, chain: Option<Chain>) {
        if let Some(chain) = chain {
            self.found.entry(key).or_default().push(chain);
        }
    }

    /// What is wanted and was not found yet.
    pub(super) fn missing(&self) -> Vec<Key> {
        let found = |key: &&Key| !self.found.contains_key(*key);
        self.wanted.keys().filter(found).copied().collect()
    }

    pub(super) fn place(&self, index: usize) -> &Place {
        &self.places[index]
    }

    /// Where content may be.
    pub(super) fn found(&self, key: &Key) -> &[Chain] {
        self.found.get(key).map_or(&[], Vec::as_slice)
    }

    /// Where a blob may be from its first byte to its last.
    pub(super) fn whole(&self, blob: &Descriptor) -> Option<&Chain> {
        self.found(&(blob.digest, blob.size)).first()
    }

    /// Where the bytes of a blob come from if all that is said of the seeds is true; nothing if all
    /// of them come from the source.
    pub(super) fn hoped(&self, blob: &Descriptor) -> Option<Vec<Step>> {
        if let Some(chain) = self.whole(blob) {
            return Some(vec![Step::Local(chain.clone())]);
        }
        let parts = self.parts(&blob.digest);
        let hoped = |part: &Part| self.found(&part.key()).first().cloned();
        let chains: Vec<Option<Chain>> = parts.iter().map(hoped).collect();
        steps::plan(blob.size, parts, &chains)
    }

    /// The known parts of a layer.
    pub(super) fn parts(&self, layer: &Digest) -> &[Part] {
        self.wanted.parts(layer)
    }

    /// The model manifest, if the blob is that.
    pub(super) fn manifest(&self, blob: &Digest) -> Option<&[u8]> {
        let (digest, bytes) = self.manifest.as_ref()?;
        (digest == blob).then_some(bytes)
    }

    /// Whether the bytes of a blob were given already, or cannot be had here.
    pub(super) fn is_spent(&self, blob: &Digest) -> bool {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.contains(blob)
    }

    /// From now on the blob comes from the source.
    pub(super) fn spend(&self, blob: &Digest) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.insert(*blob);
    }

    pub(super) fn count(&self, reused: u64, fetched: u64) {
        self.reused.fetch_add(reused, Ordering::Relaxed);
        self.fetched.fetch_add(fetched, Ordering::Relaxed);
    }
}
