//! `gc`: frees the space of what no entry leads to.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Digest;
use modelctl::store::{GcPlan, Layout};
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{Size, count};

const EXAMPLES: &str = "\
Examples:
  modelctl gc --dry-run
  modelctl gc
  modelctl gc --layout ./registry";

/// Remove the blobs of the local store that no entry leads to
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GcArgs {
    /// A layout instead of the store
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
    /// Print what would be removed; remove nothing
    #[arg(long)]
    dry_run: bool,
}

/// What was, or would be, removed; as text one digest a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GcReport {
    removed: bool,
    blobs: Vec<BlobReport>,
    referrers: Vec<Digest>,
    leftovers: Vec<PathBuf>,
    bytes: u64,
}

#[derive(Serialize)]
struct BlobReport {
    digest: Digest,
    size: u64,
}

impl GcReport {
    fn new(plan: GcPlan, removed: bool) -> Self {
        let bytes = plan.bytes();
        let blobs = plan.blobs.into_iter();
        Self {
            removed,
            bytes,
            blobs: blobs
                .map(|(digest, size)| BlobReport { digest, size })
                .collect(),
            referrers: plan.referrers,
            leftovers: plan.leftovers,
        }
    }
}

impl fmt::Display for GcReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blobs
            .iter()
            .try_for_each(|blob| writeln!(f, "{}", blob.digest))
    }
}

/// Removes, or says what would be removed.
pub(crate) async fn run(
    args: GcArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let layout = match &args.layout {
        Some(path) => Layout::open(path)?,
        None => context.store()?,
    };
    let plan = match args.dry_run {
        true => blocking(move || layout.gc_plan()).await?,
        false => blocking(move || layout.gc()).await?,
    };
    let report = GcReport::new(plan, !args.dry_run);
    let verb = if report.removed {
        "removed"
    } else {
        "would remove"
    };
    output.note(format_args!(
        "{verb} {} ({}) and {}",
        count(report.blobs.len(), "blob"),
        Size(report.bytes),
        count(report.leftovers.len(), "unfinished file")
    ))?;
    Ok(output.report(&report)?)
}
