//! The whole way: manifest, plan, blobs, files, and the name of the target at the very end.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::job::Job;
use super::manifest::fetch;
use super::tree::Tree;
use super::writer::BlobWriter;
use super::{PullOptions, PullPlan, PullReport, plan};
use crate::Result;
use crate::model::ModelDir;
use crate::oci::Document;
use crate::store::{Consumer, Storage, consume, on_thread};

/// Pulls an artifact into a folder: all of it, verified and on disk, or nothing.
///
/// Every blob is fetched once. The target may be missing, an empty folder, or an earlier pull with
/// nothing else in it; `force` replaces any other folder. On an error, and if the future is dropped,
/// the target is as it was and the temporary folder is gone.
pub async fn pull(
    source: &impl Storage,
    artifact: &Document,
    target: &Path,
    options: &PullOptions,
) -> Result<PullReport> {
    let manifest = artifact.manifest()?;
    let fetched = fetch(source, manifest).await?;
    let plan = Arc::new(plan(manifest, &fetched.model, options)?);
    // Without a `/` at the end, which would follow a link.
    let target: PathBuf = target.components().collect();
    let job = {
        let (target, force, plan) = (target.clone(), options.force, Arc::clone(&plan));
        on_thread(move || Job::prepare(&target, force, &plan)).await?
    };
    if let Err(error) = fetch_blobs(source, &job.tree, &plan, options.jobs).await {
        on_thread(move || drop(job)).await;
        return Err(error);
    }
    let complete = plan.mark.is_some();
    let mark = complete.then_some(fetched.bytes);
    let files = Arc::clone(&plan);
    on_thread(move || job.finish(&files, mark.as_deref())).await?;
    Ok(PullReport {
        files: plan.files.len() + usize::from(complete),
        size: plan.size,
        directory: complete.then(|| ModelDir::new(target, fetched.model, options.form)),
    })
}

/// Fetches blobs concurrently, the largest first, so that none of them is left alone at the end.
async fn fetch_blobs(
    source: &impl Storage,
    tree: &Arc<Tree>,
    plan: &Arc<PullPlan>,
    jobs: usize,
) -> Result<()> {
    let mut order: Vec<usize> = (0..plan.blobs.len()).collect();
    order.sort_by_key(|blob| Reverse(plan.blobs[*blob].descriptor.size));
    let mut outcomes = stream::iter(order)
        .map(|blob| fetch_blob(source, tree, plan, blob))
        .buffer_unordered(jobs.max(1));
    while let Some(()) = outcomes.try_next().await? {}
    Ok(())
}

async fn fetch_blob(
    source: &impl Storage,
    tree: &Arc<Tree>,
    plan: &Arc<PullPlan>,
    blob: usize,
) -> Result<()> {
    let descriptor = &plan.blobs[blob].descriptor;
    let reader = source.fetch(descriptor).await?;
    let writer = BlobWriter::new(Arc::clone(tree), Arc::clone(plan), blob);
    consume(reader, descriptor, writer).await.map(drop)
}

impl Consumer for BlobWriter {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.write(bytes)?)
    }
}
