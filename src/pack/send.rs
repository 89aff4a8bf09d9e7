//! Packs and stores in one flow: what is hashed is sent while the next is hashed.
//!
//! ```text
//! files ─▶ hashing threads ─▶ layers with digests, one by one ─▶ there? mounted? pushed
//!                 └─ when all are known: model manifest, config ─▶ … ─▶ manifest
//! ```
//!
//! A layer that must be sent is read a second time, while its file is still in the page cache: that
//! is why hashing does not run far ahead. A file that changes between the two fails the push.

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc::{self, Receiver};

use super::PackOptions;
use super::blob::{Blob, blobs};
use super::delivery::Delivery;
use crate::oci::Digest;
use crate::plan::{ArtifactPlan, Outline, PlannedLayer};
use crate::store::{Storage, on_thread};
use crate::transfer::{CopyReport, largest_first};
use crate::{Error, Result};

/// How many layers wait between hashing and sending.
const AHEAD: usize = 16;

/// Hashes an artifact and stores it in one flow, and gives its plan. What is stored, in which order,
/// and what fails is as with [`store`](super::store()); only that the blobs of an artifact whose
/// file changed on the way are there already, without a manifest.
pub async fn send<S: Storage>(
    outline: Outline,
    sink: &S,
    options: &PackOptions,
) -> Result<(ArtifactPlan, CopyReport)> {
    let (hashed, layers) = mpsc::channel(AHEAD);
    let planning = on_thread(move || {
        // Nobody takes layers any more where a push failed.
        outline.plan_telling(|layer| hashed.blocking_send(layer).is_ok())
    });
    let planning = async { planning.await.map_err(Error::from) };
    let mut delivery = Delivery::new(sink, options);
    let mut sent = HashSet::new();
    let sending = async {
        let sending = delivery.blobs(each_once(layers, &mut sent));
        sending.await.map_err(Error::from)
    };
    let (plan, ()) = tokio::try_join!(planning, sending)?;
    let blobs = blobs(&plan)?;
    let rest = blobs.iter().cloned();
    let rest = rest.filter(|blob| !sent.contains(&blob.descriptor.digest));
    let size = |blob: &Blob| blob.descriptor.size;
    delivery.blobs(largest_first(rest.collect(), size)).await?;
    delivery.manifest(&plan, &blobs).await?;
    Ok((plan, delivery.report))
}

/// Layers as they are hashed, each digest once.
fn each_once(
    layers: Receiver<PlannedLayer>,
    seen: &mut HashSet<Digest>,
) -> impl stream::Stream<Item = Blob> {
    let layers = stream::unfold(layers, async |mut layers| {
        let layer = layers.recv().await?;
        Some((layer, layers))
    });
    layers.filter_map(move |layer| {
        let is_new = seen.insert(layer.descriptor.digest);
        std::future::ready(is_new.then(|| Blob::from(layer)))
    })
}
