//! `repair`: hashes every blob of a layout and takes out what is broken.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Digest;
use modelctl::store::{Layout, RepairReport};
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::count;

const HELP: &str = "\
Corrupt blobs are removed, entries whose manifest is gone are dropped, a broken index.json is made \
again from the manifests that are there. What is missing then can be pulled or packed again: exit 5 \
says that something is.

Examples:
  modelctl repair
  modelctl repair --layout ./registry";

/// Check every blob of the local store and remove what is corrupt
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct RepairArgs {
    /// A layout instead of the store
    #[arg(long, value_name = "DIR")]
    layout: Option<PathBuf>,
}

/// What was found and done; as text a line for each thing.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repaired {
    checked: usize,
    corrupt: Vec<Digest>,
    missing: Vec<Digest>,
    dropped: Vec<String>,
    index_rebuilt: bool,
    marker_rewritten: bool,
    leftovers: usize,
}

impl From<RepairReport> for Repaired {
    fn from(report: RepairReport) -> Self {
        Self {
            checked: report.checked,
            corrupt: report.corrupt,
            missing: report.missing,
            dropped: report.dropped.iter().map(ToString::to_string).collect(),
            index_rebuilt: report.index_rebuilt,
            marker_rewritten: report.marker_rewritten,
            leftovers: report.leftovers,
        }
    }
}

impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |f: &mut fmt::Formatter<'_>, what: &str, digests: &[Digest]| {
            digests
                .iter()
                .try_for_each(|digest| writeln!(f, "{what} {digest}"))
        };
        each(f, "removed corrupt", &self.corrupt)?;
        each(f, "missing", &self.missing)?;
        self.dropped
            .iter()
            .try_for_each(|name| writeln!(f, "dropped entry {name}"))?;
        if self.index_rebuilt {
            writeln!(f, "rebuilt index.json")?;
        }
        if self.marker_rewritten {
            writeln!(f, "rewrote oci-layout")?;
        }
        Ok(())
    }
}

/// Repairs, and fails where something is missing now.
pub(crate) async fn run(
    args: RepairArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let path = match args.layout {
        Some(path) => path,
        None => context.store_path()?,
    };
    let report = blocking(move || Layout::repair(&path)).await?;
    let missing = report.missing.len();
    output.note(format_args!(
        "checked {}, removed {}",
        count(report.checked, "blob"),
        count(report.leftovers, "unfinished file")
    ))?;
    output.report(&Repaired::from(report))?;
    match missing {
        0 => Ok(()),
        count => Err(Failure::Missing(count)),
    }
}
