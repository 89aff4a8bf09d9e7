//! Stores a planned artifact: layers and config, then the manifest.

use super::PackError;
use crate::Result;
use crate::oci::{Descriptor, Digest, OciError};
use crate::plan::ArtifactPlan;
use crate::store::{BlobSource, Storage};
use crate::transfer::{CopyReport, Jobs, Moved, Outcome, Target, fly, largest_first};

/// How to store an artifact.
#[derive(Debug, Clone, Default)]
pub struct PackOptions {
    /// How many blobs are on their way at once.
    pub jobs: Jobs,
    /// Repositories of the sink's registry that may have the blobs: they are mounted from there.
    pub mount_from: Vec<String>,
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
    let target = Target::new(sink, &options.mount_from);
    let blobs = blobs(plan)?;
    let descriptors: Vec<_> = blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    sink.check_space(&descriptors).await?;
    let store = |blob, moved| push(&target, blob, moved);
    let count = |(blob, outcome): (&Blob, Outcome)| {
        report.count(blob.descriptor, outcome);
        Ok::<_, PackError>(())
    };
    let largest_first = largest_first(blobs.iter().collect(), |blob| blob.descriptor.size);
    fly(largest_first, options.jobs, store, count).await?;
    let descriptor = plan.manifest.descriptor();
    let failed = |error| PackError::new("the manifest", error);
    let outcome = match sink.exists(&descriptor).await.map_err(failed)? {
        true => Outcome::Present,
        false => {
            let again = |blob| push_again(&target, &blobs, blob);
            let pushed = target.deliver_manifest((&descriptor, &plan.manifest), again);
            pushed.await.map_err(failed)?;
            Outcome::Pushed
        }
    };
    report.count(&descriptor, outcome);
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

/// Puts one blob into the target.
async fn push<'a, S: Storage>(
    target: &Target<'_, S>,
    blob: &'a Blob<'a>,
    moved: Moved,
) -> Result<(&'a Blob<'a>, Outcome), PackError> {
    let delivered = target.deliver(blob.descriptor, blob.content, &moved).await;
    match delivered {
        Ok(outcome) => Ok((blob, outcome)),
        Err(error) => Err(PackError::new(&blob.name, error)),
    }
}

/// Pushes a blob of the plan though the target says that it has it; `false` if it is none of them.
async fn push_again<S: Storage>(
    target: &Target<'_, S>,
    blobs: &[Blob<'_>],
    digest: Digest,
) -> Result<bool> {
    let mut blobs = blobs.iter();
    let Some(blob) = blobs.find(|blob| blob.descriptor.digest == digest) else {
        return Ok(false);
    };
    push(&target.doubted(), blob, Moved::default()).await?;
    Ok(true)
}
