//! How much is read in search of signatures.

use std::time::Duration;

use super::FindError;
use crate::oci::Descriptor;

/// How many candidates are looked at, signatures and attestations together.
pub const MAX_SIGNATURES: usize = 50;

/// How many referrers of any kind are gone through.
pub const MAX_REFERRERS: usize = 1000;

/// How many bytes these may have together, in bytes. A signature of cosign is of one kilobyte, a
/// statement over 10,000 files of two megabytes.
pub const MAX_SIGNATURE_BYTES: u64 = 32 * 1024 * 1024;

/// How long may be searched: enough for all of it over one megabit a second. A registry that sends a
/// byte now and then, or page after page with nothing on it, would never come to an end.
pub(super) const MAX_TIME: Duration = Duration::from_secs(600);

/// What is left of both.
#[derive(Debug, Default)]
pub(super) struct Budget {
    candidates: usize,
    bytes: u64,
}

impl Budget {
    /// Counts candidates before any is fetched.
    pub(super) fn candidates(&mut self, count: usize) -> Result<(), FindError> {
        self.candidates = self.candidates.saturating_add(count);
        match self.candidates > MAX_SIGNATURES {
            true => Err(FindError::TooMany),
            false => Ok(()),
        }
    }

    /// Counts the bytes of blobs before any is fetched: no more than their descriptors say is read.
    pub(super) fn bytes<'a>(
        &mut self,
        blobs: impl IntoIterator<Item = &'a Descriptor>,
    ) -> Result<(), FindError> {
        for blob in blobs {
            self.bytes = self.bytes.saturating_add(blob.size);
        }
        match self.bytes > MAX_SIGNATURE_BYTES {
            true => Err(FindError::TooLarge),
            false => Ok(()),
        }
    }
}
