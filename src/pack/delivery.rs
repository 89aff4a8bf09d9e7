//! Blobs and the manifest of an artifact on their way into a store.

use futures_util::Stream;

use super::blob::Blob;
use super::{PackError, PackOptions};
use crate::Result;
use crate::oci::{Descriptor, Digest};
use crate::plan::ArtifactPlan;
use crate::store::Storage;
use crate::transfer::{CopyReport, Moved, Outcome, Target, fly, push_manifest};

/// What goes into one store, and how far it is.
pub(super) struct Delivery<'a, S> {
    target: Target<'a, S>,
    options: &'a PackOptions,
    /// Whether the store had the manifest, once it was asked.
    had_manifest: Option<bool>,
    pub(super) report: CopyReport,
}

impl<'a, S: Storage> Delivery<'a, S> {
    pub(super) fn new(sink: &'a S, options: &'a PackOptions) -> Self {
        Self {
            target: Target::new(sink, &options.mount_from),
            options,
            had_manifest: None,
            report: CopyReport::default(),
        }
    }

    /// Whether the store has the manifest already, and so all blobs; they are counted then.
    pub(super) async fn is_there(
        &mut self,
        plan: &ArtifactPlan,
        blobs: &[Blob],
    ) -> Result<bool, PackError> {
        let sink = self.target.sink();
        let is_there = self.has_manifest(plan).await? && sink.keeps_graphs();
        if is_there {
            let blobs = blobs.iter().map(|blob| &blob.descriptor);
            let root = plan.manifest.descriptor();
            self.report.count_spared(sink, &root, blobs);
        }
        Ok(is_there)
    }

    async fn has_manifest(&mut self, plan: &ArtifactPlan) -> Result<bool, PackError> {
        if let Some(had) = self.had_manifest {
            return Ok(had);
        }
        let asked = self.target.sink().exists(&plan.manifest.descriptor()).await;
        let has = asked.map_err(|error| PackError::new("the manifest", error))?;
        self.had_manifest = Some(has);
        Ok(has)
    }

    /// Puts blobs into the store while they come.
    pub(super) async fn blobs(&mut self, blobs: impl Stream<Item = Blob>) -> Result<(), PackError> {
        let target = &self.target;
        let store = async |blob: Blob, moved| {
            let outcome = push(target, &blob, moved).await?;
            Ok((blob.descriptor, outcome))
        };
        let count = |(blob, outcome): (Descriptor, Outcome)| {
            self.report.count(&blob, outcome);
            Ok(())
        };
        let is_far = || target.sink().is_far();
        fly(blobs, (self.options.jobs, is_far), store, count).await
    }

    /// Puts the manifest into the store, after all blobs.
    pub(super) async fn manifest(
        &mut self,
        plan: &ArtifactPlan,
        blobs: &[Blob],
    ) -> Result<(), PackError> {
        let descriptor = plan.manifest.descriptor();
        let outcome = match self.has_manifest(plan).await? {
            true => Outcome::Present,
            false => {
                let bring = |digest| push_again(&self.target, blobs, digest);
                let pushed = push_manifest(self.target.sink(), &plan.manifest, bring).await;
                pushed.map_err(|error| PackError::new("the manifest", error))?;
                Outcome::Pushed
            }
        };
        self.report.count(&descriptor, outcome);
        Ok(())
    }
}

async fn push<S: Storage>(
    target: &Target<'_, S>,
    blob: &Blob,
    moved: Moved,
) -> Result<Outcome, PackError> {
    let delivered = target
        .deliver(&blob.descriptor, &blob.content, &moved)
        .await;
    delivered.map_err(|error| PackError::new(&blob.name, error))
}

/// Pushes a blob though the store says that it has it; `false` if it is none of these.
async fn push_again<S: Storage>(
    target: &Target<'_, S>,
    blobs: &[Blob],
    digest: Digest,
) -> Result<bool> {
    let mut blobs = blobs.iter();
    let Some(blob) = blobs.find(|blob| blob.descriptor.digest == digest) else {
        return Ok(false);
    };
    push(&target.doubted(), blob, Moved::default()).await?;
    Ok(true)
}
