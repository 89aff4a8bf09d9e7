//! What a transfer did, whatever it moved from where to where.

use super::target::Outcome;
use crate::oci::Descriptor;
use crate::store::Storage;

/// What a transfer did. Manifests count as blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// How many blobs were copied.
    pub copied: usize,
    /// How many were there already.
    pub skipped: usize,
    /// How many were mounted from another repository of the registry: nothing was sent.
    pub mounted: usize,
    /// How many bytes the copied ones have.
    pub bytes: u64,
    /// How many manifests came along because they refer to others.
    pub referrers: usize,
}

impl CopyReport {
    /// Counts blobs that are there with the root that needs them, which the sink has told itself.
    pub(crate) fn count_spared<'a>(
        &mut self,
        sink: &impl Storage,
        root: &Descriptor,
        blobs: impl Iterator<Item = &'a Descriptor>,
    ) {
        self.count(root, Outcome::Present);
        for blob in blobs.filter(|blob| blob.digest != root.digest) {
            sink.spared(blob);
            self.count(blob, Outcome::Present);
        }
    }

    /// Counts a blob.
    pub(crate) fn count(&mut self, blob: &Descriptor, outcome: Outcome) {
        match outcome {
            Outcome::Present => self.skipped += 1,
            Outcome::Mounted => self.mounted += 1,
            Outcome::Pushed => {
                self.copied += 1;
                self.bytes += blob.size;
            }
        }
    }
}
