//! Stores a planned artifact: layers and config, then the manifest.

use super::blob::{Blob, blobs};
use super::delivery::Delivery;
use crate::Result;
use crate::oci::Descriptor;
use crate::plan::ArtifactPlan;
use crate::store::Storage;
use crate::transfer::{CopyReport, Jobs, largest_first};

/// How to store an artifact.
#[derive(Debug, Clone, Default)]
pub struct PackOptions {
    /// How many blobs are on their way at once.
    pub jobs: Jobs,
    /// Repositories of the sink's registry that may have the blobs: they are mounted from there.
    pub mount_from: Vec<String>,
}

/// Stores every blob of the plan that is not there yet, children first: who stops it leaves garbage,
/// never a manifest whose layers are missing. A file that changed since the plan was made is an
/// error that names it, and its layer is not stored. Tagging is the caller's last step.
pub async fn store<S: Storage>(
    plan: &ArtifactPlan,
    sink: &S,
    options: &PackOptions,
) -> Result<CopyReport> {
    let blobs = blobs(plan)?;
    let mut delivery = Delivery::new(sink, options);
    if delivery.is_there(plan, &blobs).await? {
        return Ok(delivery.report);
    }
    let descriptors: Vec<Descriptor> = blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    sink.check_space(&descriptors).await?;
    let size = |blob: &Blob| blob.descriptor.size;
    delivery.blobs(largest_first(blobs.clone(), size)).await?;
    delivery.manifest(plan, &blobs).await?;
    Ok(delivery.report)
}
