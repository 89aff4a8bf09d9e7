//! `gc`: frees the space of what no entry leads to.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use modelctl::oci::Digest;
use modelctl::store::{GcOptions, GcPlan, Layout};
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{Size, count};

const HELP: &str = "\
What an interrupted pull has left of a blob is kept for a day, so that the next pull goes on with it.

Examples:
  modelctl gc --dry-run
  modelctl gc --partials
  modelctl gc --layout ./registry";

/// Remove the blobs of the local store that no entry leads to
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct GcArgs {
    /// A layout instead of the store
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
    /// Remove what interrupted pulls have left as well, however new it is
    #[arg(long)]
    partials: bool,
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
    partials: Vec<BlobReport>,
    resumable: Vec<BlobReport>,
    referrers: Vec<Digest>,
    leftovers: Vec<PathBuf>,
    bytes: u64,
}

/// A blob, and how many bytes of the disk it takes.
#[derive(Serialize)]
struct BlobReport {
    digest: Digest,
    size: u64,
}

impl BlobReport {
    fn list(blobs: Vec<(Digest, u64)>) -> Vec<Self> {
        let blobs = blobs.into_iter();
        blobs.map(|(digest, size)| Self { digest, size }).collect()
    }
}

impl GcReport {
    fn new(plan: GcPlan, removed: bool) -> Self {
        let bytes = plan.bytes();
        Self {
            removed,
            bytes,
            blobs: BlobReport::list(plan.blobs),
            partials: BlobReport::list(plan.partials),
            resumable: BlobReport::list(plan.resumable),
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
    let mut options = GcOptions::default();
    if args.partials {
        options.abandoned_after = Duration::ZERO;
    }
    let plan = match args.dry_run {
        true => blocking(move || layout.gc_plan_with(&options)).await?,
        false => blocking(move || layout.gc_with(&options)).await?,
    };
    let kept = (plan.resumable.len(), plan.resumable_bytes());
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
        count(
            report.partials.len() + report.leftovers.len(),
            "unfinished file"
        )
    ))?;
    if let (1.., bytes) = kept {
        output.note(format_args!(
            "kept {} ({}) of interrupted pulls: `--partials` removes them",
            count(kept.0, "unfinished blob"),
            Size(bytes)
        ))?;
    }
    Ok(output.report(&report)?)
}
