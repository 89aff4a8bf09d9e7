//! The report of `pack`: the layers of the artifact and what each holds.

use std::fmt;

use modelctl::oci::Digest;
use modelctl::plan::{ArtifactPlan, PlannedLayer};
use modelctl::transfer::CopyReport;
use serde::Serialize;

use super::transfer::moved;
use crate::places::Spot;
use crate::text::{Size, Table, count};

/// The plan of an artifact; as text a table, and the digest last.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanReport {
    digest: Digest,
    /// The sum of the original files, in bytes.
    original_size: u64,
    /// The sum of all blobs, in bytes.
    size: u64,
    layers: Vec<LayerReport>,
    left_out: Vec<String>,
}

/// A layer.
#[derive(Serialize)]
struct LayerReport {
    path: String,
    kind: &'static str,
    digest: Digest,
    size: u64,
    /// How many files stand in it, whole or in part.
    files: usize,
    /// How many tensors stand in it.
    tensors: usize,
}

impl From<&ArtifactPlan> for PlanReport {
    fn from(plan: &ArtifactPlan) -> Self {
        Self {
            digest: plan.manifest.digest(),
            original_size: plan.original_size(),
            size: plan.stored_size(),
            layers: plan.layers.iter().map(LayerReport::from).collect(),
            left_out: plan.left_out.clone(),
        }
    }
}

impl From<&PlannedLayer> for LayerReport {
    fn from(layer: &PlannedLayer) -> Self {
        Self {
            path: layer.path.to_string(),
            kind: layer.kind.as_str(),
            digest: layer.descriptor.digest,
            size: layer.descriptor.size,
            files: layer.files,
            tensors: layer.tensors,
        }
    }
}

impl LayerReport {
    /// `2 files`, `12 tensors of 1 file`.
    fn holds(&self) -> String {
        let files = count(self.files, "file");
        match (self.tensors, self.files) {
            (0, 0) => String::new(),
            (0, _) => files,
            (tensors, _) => format!("{} of {files}", count(tensors, "tensor")),
        }
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::with_head(["LAYER", "KIND", "SIZE", "HOLDS", "DIGEST"]);
        for layer in &self.layers {
            table.row([
                layer.path.clone(),
                layer.kind.to_owned(),
                Size(layer.size).to_string(),
                layer.holds(),
                layer.digest.to_string(),
            ]);
        }
        writeln!(f, "{table}")?;
        self.digest.fmt(f)
    }
}

/// An artifact that was packed; as text its digest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PackedReport {
    /// The name it has now.
    name: String,
    /// What it is.
    #[serde(flatten)]
    plan: PlanReport,
    /// How many blobs were written or sent.
    copied: usize,
    /// How many were mounted from another repository.
    mounted: usize,
    /// How many were there already.
    skipped: usize,
    /// How many bytes were written or sent.
    bytes: u64,
}

impl PackedReport {
    /// Says where the artifact is now, and what moved.
    pub(crate) fn new(place: &Spot, plan: &ArtifactPlan, moved: &CopyReport) -> Self {
        Self {
            name: place.to_string(),
            plan: plan.into(),
            copied: moved.copied,
            mounted: moved.mounted,
            skipped: moved.skipped,
            bytes: moved.bytes,
        }
    }

    /// The same in a sentence, for people.
    pub(crate) fn note(&self, verb: &str) -> String {
        let moved = moved(self.copied, self.bytes, self.mounted, self.skipped);
        format!("{verb} {}: {moved}", self.name)
    }
}

impl fmt::Display for PackedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.digest.fmt(f)
    }
}
