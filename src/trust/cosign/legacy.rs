//! Signatures as cosign wrote them before v3: one tag `sha256-<hex>.sig` beside a manifest, under it a
//! manifest with a layer for each signature (`sigstore/cosign:specs/SIGNATURE_SPEC.md`).
//!
//! Adding one is to read the tag, append a layer and write it again. No registry compares and swaps,
//! so the tag is read once more after a while, and written again if somebody else has replaced it.

use std::time::Duration;

use tokio::time::Instant;

use super::legacy_manifest::{self, IMAGE_CONFIG, MAX_CONFIG_SIZE};
use super::{SIGNATURE_ANNOTATION, SIMPLE_SIGNING, SimpleSigning};
use crate::oci::{Descriptor, Digest, Document, Reference};
use crate::store::{Storage, Tags, fetch_small};
use crate::trust::put::put;
use crate::trust::{PrivateKey, TrustError, base64};
use crate::{ErrorKind, Result};

/// How often a tag is written again before somebody should look at what goes on.
const MAX_UPDATES: u32 = 30;
/// Longer than another client takes between reading the tag and writing it, on a fast link.
const SETTLE_TIME: Duration = Duration::from_millis(500);
/// On a slow link others are slow as well: this many times what our own update took.
const SETTLE_FACTOR: u32 = 2;
/// Long enough for somebody else's request.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// A place with names: where blobs go, and where the tag is.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a, S, T> {
    /// Where blobs and manifests are.
    pub store: &'a S,
    /// What knows the tag.
    pub tags: &'a T,
    /// The tag, in the manner of `tags`.
    pub tag: &'a Reference,
}

/// Signs the digest of a manifest for a repository, and appends the signature to those that are under
/// the tag. Gives the manifest that is under it now.
pub async fn sign<S: Storage, T: Tags>(
    place: Beside<'_, S, T>,
    key: &PrivateKey,
    claim: &SimpleSigning,
) -> Result<Descriptor> {
    let payload = claim.to_vec();
    let blob = Descriptor::of(SIMPLE_SIGNING, &payload);
    let mut layer = blob.clone();
    layer.annotations.insert(
        SIGNATURE_ANNOTATION.to_owned(),
        base64::encode(&key.sign(&payload)),
    );
    if !place.store.exists(&blob).await? {
        place.store.push(&blob, &payload).await?;
    }
    append(place, &[layer]).await
}

/// Appends layers, whose blobs are in the store, to the manifest under the tag, which is made if it is
/// not there. What others have put there stays, also what they put there meanwhile.
pub async fn append<S: Storage, T: Tags>(
    place: Beside<'_, S, T>,
    layers: &[Descriptor],
) -> Result<Descriptor> {
    let Beside { store, tags, tag } = place;
    let pause = pause_of(layers);
    for _ in 0..MAX_UPDATES {
        let start = Instant::now();
        let current = under(tags, tag).await?;
        let missing = match &current {
            Some(document) => legacy_manifest::missing(document, layers)?,
            None => layers.to_vec(),
        };
        if let (Some(document), []) = (&current, missing.as_slice()) {
            return Ok(document.descriptor());
        }
        let (config, manifest) = appended(store, current.as_ref(), &missing).await?;
        let config_blob = Descriptor::of(IMAGE_CONFIG, &config);
        let manifest = put(store, &[(&config_blob, &config)], &manifest).await?;
        // Until now others have had time to come first; from here on it is one request.
        let is_same = under(tags, tag).await? == current;
        let tagged = match is_same {
            true => tags.tag(&manifest, tag).await,
            false => Ok(()),
        };
        match tagged {
            Ok(()) if is_same => {
                let settled = SETTLE_TIME.max(start.elapsed() * SETTLE_FACTOR);
                tokio::time::sleep(settled + pause).await;
            }
            // An old registry misses a blob for a moment while others send the same one.
            Err(error) if error.missing_blob().is_none() => return Err(error),
            Ok(()) | Err(_) => tokio::time::sleep(pause).await,
        }
    }
    let tag = tag.to_string();
    let updates = MAX_UPDATES;
    Err(TrustError::LostUpdates { tag, updates }.into())
}

/// A pause that differs by signer, so that those who collide once do not do so again.
fn pause_of(layers: &[Descriptor]) -> Duration {
    let signatures = layers.iter().flat_map(|layer| &layer.annotations);
    let text: String = signatures.map(|(_, value)| value.as_str()).collect();
    let digest = Digest::sha256(text.as_bytes());
    SHORTEST_PAUSE + Duration::from_millis(u64::from(digest.value()[0]))
}

/// What is under a tag, if anything is.
async fn under<T: Tags>(tags: &T, tag: &Reference) -> Result<Option<Document>> {
    match tags.resolve(tag).await {
        Ok(document) => Ok(Some(document)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn appended<S: Storage>(
    store: &S,
    current: Option<&Document>,
    layers: &[Descriptor],
) -> Result<(Vec<u8>, Document)> {
    let Some(current) = current else {
        return Ok(legacy_manifest::new(layers));
    };
    let config = &current.manifest()?.config;
    let config = fetch_small(store, config, MAX_CONFIG_SIZE).await?;
    Ok(legacy_manifest::appended(current, &config, layers)?)
}

#[cfg(test)]
mod tests;
