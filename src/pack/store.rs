//! Stores a planned artifact: layers and config, then the manifest.

use std::cmp::Reverse;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::Result;
use crate::oci::Descriptor;
use crate::plan::ArtifactPlan;
use crate::store::{BlobSource, Storage};

/// How to store an artifact.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// How many blobs are on their way at once.
    pub jobs: usize,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self { jobs: 4 }
    }
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackReport {
    /// The manifest; tagging it is the caller's last step.
    pub manifest: Descriptor,
    /// How many blobs were stored, the manifest included.
    pub stored: usize,
    /// How many were there already.
    pub present: usize,
    /// The length of what was stored, in bytes.
    pub stored_size: u64,
}

/// Stores every blob of the plan that is not there yet, children first: who stops it leaves garbage,
/// never a manifest whose layers are missing. A file that changed since the plan was made is an
/// error that names it, and its layer is not stored.
pub async fn store<S: Storage>(
    plan: &ArtifactPlan,
    sink: &S,
    options: &PackOptions,
) -> Result<PackReport> {
    let manifest = plan.manifest.descriptor();
    let mut report = PackReport {
        manifest: manifest.clone(),
        stored: 0,
        present: 0,
        stored_size: 0,
    };
    let blobs = blobs(plan)?;
    let pushes = blobs
        .into_iter()
        .map(|(blob, content)| push(sink, blob, content));
    let mut pushed = stream::iter(pushes).buffer_unordered(options.jobs.max(1));
    while let Some(stored) = pushed.try_next().await? {
        report.count(stored);
    }
    let raw = plan.manifest.raw().to_vec();
    report.count(push(sink, &manifest, &raw).await?);
    Ok(report)
}

/// The layers and the config, each digest once, the largest first so that none is left alone at
/// the end.
fn blobs(plan: &ArtifactPlan) -> Result<Vec<(&Descriptor, &dyn BlobSource)>> {
    let config = &plan.manifest.manifest()?.config;
    let layers = plan.layers.iter();
    let layers = layers.map(|layer| (&layer.descriptor, &layer.content as &dyn BlobSource));
    let mut blobs: Vec<_> = layers
        .chain([(config, &plan.config as &dyn BlobSource)])
        .collect();
    blobs.sort_by_key(|(blob, _)| (Reverse(blob.size), blob.digest));
    blobs.dedup_by_key(|(blob, _)| blob.digest);
    Ok(blobs)
}

/// Pushes one blob; its size if it was not there.
async fn push<S: Storage>(
    sink: &S,
    blob: &Descriptor,
    content: &dyn BlobSource,
) -> Result<Option<u64>> {
    if sink.exists(blob).await? {
        return Ok(None);
    }
    sink.push(blob, content).await?;
    Ok(Some(blob.size))
}

impl PackReport {
    fn count(&mut self, stored: Option<u64>) {
        match stored {
            Some(size) => {
                self.stored += 1;
                self.stored_size += size;
            }
            None => self.present += 1,
        }
    }
}
