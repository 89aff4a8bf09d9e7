//! The whole way: manifest, plan, blobs, files, and the name of the target at the very end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::blob::fetch_blob;
use super::job::{Job, Order};
use super::manifest::fetch;
use super::pairs::Pairs;
use super::work::Work;
use super::{PullOptions, PullReport, plan};
use crate::model::ModelDir;
use crate::oci::Document;
use crate::store::{Storage, on_thread};
use crate::transfer::{Jobs, fly, largest_first};
use crate::{ErrorKind, Result};

/// Pulls an artifact into a folder: all of it, verified and on disk, or nothing.
///
/// Every blob is fetched once, and nothing if all of it is in place. The target may be missing, an
/// empty folder, or an earlier pull with nothing else in it; `force` replaces any other folder. On
/// an error, and if the future is dropped, the target is as it was. What was fetched until then is
/// kept beside it where it makes sense to go on later: if the source became unavailable, or the
/// future was dropped. Another pull of the same target waits for this one.
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
    let complete = plan.mark.is_some();
    let mut report = PullReport {
        files: plan.files.len() + usize::from(complete),
        size: plan.size,
        fetched: 0,
        resumed: 0,
        in_place: true,
        directory: complete.then(|| ModelDir::new(target.clone(), fetched.model, options.form)),
    };
    let order = Order {
        artifact: artifact.digest(),
        plan,
        mark: complete.then(|| fetched.bytes.into()),
        target,
        force: options.force,
    };
    let Some(job) = Job::begin(order).await? else {
        return Ok(report);
    };
    let work = Arc::clone(&job.work);
    if let Err(error) = fetch_blobs(source, &work, options.jobs).await {
        match error.kind() {
            ErrorKind::Unavailable => on_thread(move || drop(job)).await,
            _ => on_thread(move || job.give_up()).await,
        }
        return Err(error);
    }
    on_thread(move || job.finish()).await?;
    report.fetched = work.fetched.load(Ordering::Relaxed);
    report.resumed = work.resumed.load(Ordering::Relaxed);
    report.in_place = false;
    Ok(report)
}

/// Fetches all blobs, several at a time.
async fn fetch_blobs(source: &impl Storage, work: &Arc<Work>, jobs: Jobs) -> Result<()> {
    let missing = |blob: &usize| work.plan.blobs[*blob].descriptor.size - work.positions[*blob];
    let blobs = largest_first((0..work.plan.blobs.len()).collect(), missing);
    let pairs = &Pairs::new();
    let fetch = |blob, moved| fetch_blob(source, work, pairs, (blob, moved));
    fly(blobs, (jobs, || source.is_far()), fetch, |()| Ok(())).await
}
