//! Stores a planned artifact: layers and config, then the manifest.

use std::cmp::Reverse;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::PackError;
use crate::Result;
use crate::oci::{Descriptor, OciError};
use crate::plan::ArtifactPlan;
use crate::store::{BlobSource, Storage};

/// How to store an artifact.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// How many blobs are on their way at once; at least one is.
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

/// A blob of the plan, and what to call it.
struct Blob<'a> {
    descriptor: &'a Descriptor,
    content: &'a dyn BlobSource,
    name: String,
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
    let pushes = blobs(plan)?.into_iter().map(|blob| push(sink, blob));
    let mut pushed = stream::iter(pushes).buffer_unordered(options.jobs.max(1));
    while let Some(stored) = pushed.try_next().await? {
        report.count(stored);
    }
    let blob = Blob {
        descriptor: &manifest,
        content: &plan.manifest.raw().to_vec(),
        name: "the manifest".to_owned(),
    };
    report.count(push(sink, blob).await?);
    Ok(report)
}

/// The layers and the config, each digest once, the largest first so that none is left alone at
/// the end.
fn blobs(plan: &ArtifactPlan) -> Result<Vec<Blob<'_>>, OciError> {
    let layers = plan.layers.iter().map(|layer| Blob {
        descriptor: &layer.descriptor,
        content: &layer.content,
        name: format!("`{}`", layer.path),
    });
    let config = Blob {
        descriptor: &plan.manifest.manifest()?.config,
        content: &plan.config,
        name: "the config".to_owned(),
    };
    let mut blobs: Vec<Blob> = layers.chain([config]).collect();
    blobs.sort_by_key(|blob| (Reverse(blob.descriptor.size), blob.descriptor.digest));
    blobs.dedup_by_key(|blob| blob.descriptor.digest);
    Ok(blobs)
}

/// Pushes one blob; its size if it was not there.
async fn push<S: Storage>(sink: &S, blob: Blob<'_>) -> Result<Option<u64>, PackError> {
    let failed = |source| PackError::Store {
        blob: blob.name.clone(),
        source: Box::new(source),
    };
    if sink.exists(blob.descriptor).await.map_err(failed)? {
        return Ok(None);
    }
    let pushed = sink.push(blob.descriptor, blob.content).await;
    pushed.map_err(failed)?;
    Ok(Some(blob.descriptor.size))
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
