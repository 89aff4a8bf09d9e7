//! The report of everything that moves an artifact: what moved, and its digest.

use std::fmt;

use modelctl::oci::Digest;
use modelctl::transfer::CopyReport;
use serde::Serialize;

use crate::seeding::SavedReport;
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
    /// How many were mounted from another repository.
    mounted: usize,
    /// How many were there already.
    skipped: usize,
    /// How many bytes the copied ones have.
    bytes: u64,
    /// How many referrers came with it.
    referrers: usize,
    /// What a pull took from this machine, and what over the network.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) saved: Option<SavedReport>,
}

impl TransferReport {
    /// Says where the artifact is now.
    pub(crate) fn new(name: String, digest: Digest, copy: &CopyReport) -> Self {
        Self {
            name,
            digest,
            copied: copy.copied,
            mounted: copy.mounted,
            skipped: copy.skipped,
            bytes: copy.bytes,
            referrers: copy.referrers,
            saved: None,
        }
    }

    /// The same with what was saved.
    pub(crate) fn with_saved(self, saved: SavedReport) -> Self {
        let saved = Some(saved);
        Self { saved, ..self }
    }

    /// The same in a sentence, for people.
    pub(crate) fn note(&self, verb: &str) -> String {
        let moved = moved(self.copied, self.bytes, self.mounted, self.skipped);
        let referrers = match self.referrers {
            0 => String::new(),
            referrers => format!(", {}", count(referrers, "referrer")),
        };
        let saved = self.saved.map_or(String::new(), SavedReport::note);
        format!("{verb} {}: {moved}{referrers}{saved}", self.name)
    }
}

/// How much was new: `3 blobs (1.2 MB) new, 2 mounted, 1 there already`.
pub(super) fn moved(copied: usize, bytes: u64, mounted: usize, skipped: usize) -> String {
    let new = match copied {
        0 => "nothing new".to_owned(),
        copied => format!("{} ({}) new", count(copied, "blob"), Size(bytes)),
    };
    let mounted = match mounted {
        0 => String::new(),
        mounted => format!(", {mounted} mounted"),
    };
    format!("{new}{mounted}, {skipped} there already")
}

impl fmt::Display for TransferReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}
