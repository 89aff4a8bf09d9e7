//! Stores a planned artifact: layers and config, then the manifest.

use super::PackError;
use crate::Result;
use crate::oci::{Descriptor, OciError};
use crate::plan::ArtifactPlan;
use crate::store::{BlobSource, Storage};
use crate::transfer::{CopyReport, Jobs, Moved, Outcome, deliver, fly, largest_first};

/// How to store an artifact.
#[derive(Debug, Clone, Default)]
pub struct PackOptions {
    /// How many blobs are on their way at once.
    pub jobs: Jobs,
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
) -> Result<CopyReport> {
    let mut report = CopyReport::default();
    let blobs = blobs(plan)?;
    let descriptors: Vec<_> = blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    sink.check_space(&descriptors).await?;
    let blobs = largest_first(blobs, |blob| blob.descriptor.size);
    let store = |blob, moved| push(sink, blob, moved);
    let count = |(blob, outcome): (Blob, Outcome)| {
        report.count(blob.descriptor, outcome);
        Ok::<_, PackError>(())
    };
    fly(blobs, options.jobs, store, count).await?;
    let blob = Blob {
        descriptor: &plan.manifest.descriptor(),
        content: &plan.manifest.raw().to_vec(),
        name: "the manifest".to_owned(),
    };
    let (blob, outcome) = push(sink, blob, Moved::default()).await?;
    report.count(blob.descriptor, outcome);
    Ok(report)
}

/// The layers and the config, each digest once.
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
    blobs.sort_by_key(|blob| blob.descriptor.digest);
    blobs.dedup_by_key(|blob| blob.descriptor.digest);
    Ok(blobs)
}

/// Pushes one blob unless it is there.
async fn push<'a, S: Storage>(
    sink: &S,
    blob: Blob<'a>,
    moved: Moved,
) -> Result<(Blob<'a>, Outcome), PackError> {
    match deliver(sink, blob.descriptor, blob.content, &moved).await {
        Ok(outcome) => Ok((blob, outcome)),
        Err(source) => Err(PackError::Store {
            blob: blob.name,
            source: Box::new(source),
        }),
    }
}
