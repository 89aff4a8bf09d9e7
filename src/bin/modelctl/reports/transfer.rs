//! The report of everything that moves an artifact: what moved, and its digest.

use std::fmt;

use modelctl::oci::Digest;
use modelctl::transfer::CopyReport;
use serde::Serialize;

use crate::text::{Size, count};

/// What was moved; as text the digest, the one thing that a script needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferReport {
    /// The name it has now.
    pub(crate) name: String,
    /// Its digest.
    pub(crate) digest: Digest,
    /// How many blobs were copied.
    copied: usize,
    /// How many were there already.
    skipped: usize,
    /// How many bytes the copied ones have.
    bytes: u64,
    /// How many referrers came with it.
    referrers: usize,
}

impl TransferReport {
    /// Says where the artifact is now.
    pub(crate) fn new(name: String, digest: Digest, copy: &CopyReport) -> Self {
        Self {
            name,
            digest,
            copied: copy.copied,
            skipped: copy.skipped,
            bytes: copy.bytes,
            referrers: copy.referrers,
        }
    }

    /// Says what an artifact is that stayed where it was.
    pub(crate) fn unmoved(name: String, digest: Digest) -> Self {
        Self::new(name, digest, &CopyReport::default())
    }

    /// The same in a sentence, for people.
    pub(crate) fn note(&self, verb: &str) -> String {
        let moved = match self.copied {
            0 => "nothing moved".to_owned(),
            copied => format!("{} ({}) moved", count(copied, "blob"), Size(self.bytes)),
        };
        let referrers = match self.referrers {
            0 => String::new(),
            referrers => format!(", {}", count(referrers, "referrer")),
        };
        format!(
            "{verb} {}: {moved}, {} there already{referrers}",
            self.name, self.skipped
        )
    }
}

impl fmt::Display for TransferReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}
