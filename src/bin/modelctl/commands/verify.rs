//! `verify`: checks an artifact, a layout or a folder, and lists what it found.

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::Place;
use modelctl::store::Layout;
use modelctl::verify::{self, ArtifactOptions};

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::{Output, Style};
use crate::places::Spot;
use crate::progress::{size_of, watch};
use crate::reports::FindingsReport;

const HELP: &str = "\
Every blob and file is read and hashed. A folder may be one that `pull` wrote, in either layout, or
that oras or modctl wrote. `oci:DIR` without a tag is the whole layout. Exit 5 if anything fails.

Examples:
  modelctl verify registry.example/demo/mlp:v1
  modelctl verify ./mlp
  modelctl verify store:demo/mlp:v1 --json
  modelctl verify oci:./layout";

/// Check digests and structure of an artifact, a layout or a pulled folder
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct VerifyArgs {
    /// The artifact or folder
    #[arg(value_name = "ARTIFACT|DIR")]
    place: Place,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Verifies, reports, and fails if any check failed.
pub(crate) async fn run(
    args: VerifyArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let report = match args.place {
        Place::Path(path) => folder(path).await?,
        Place::Layout { path, tag: None } => layout(path).await?,
        place => artifact(&place, &args.registry, context, output.style()).await?,
    };
    output.report(&report)?;
    report.verdict()?;
    let checks = report.findings.len();
    Ok(output.note(format_args!("verified {}: {checks} checks", report.name))?)
}

async fn folder(path: PathBuf) -> Result<FindingsReport, Failure> {
    let name = path.display().to_string();
    let report = blocking(move || verify::directory(&path)).await;
    Ok(FindingsReport {
        name,
        digest: None,
        findings: report.map_err(modelctl::Error::from)?.findings,
    })
}

async fn layout(path: PathBuf) -> Result<FindingsReport, Failure> {
    let name = format!("oci:{}", path.display());
    let layout = Layout::open(&path)?;
    let findings = blocking(move || verify::layout(&layout)).await?;
    Ok(FindingsReport {
        name,
        digest: None,
        findings,
    })
}

async fn artifact(
    place: &Place,
    options: &RegistryOptions,
    context: &Context,
    style: Style,
) -> Result<FindingsReport, Failure> {
    let spot = context.open(place, options).await?;
    let document = spot.resolve().await?;
    let watched = watch(spot.depot(), size_of(&document), style);
    let options = ArtifactOptions {
        split_files: !matches!(spot, Spot::Repository(..)),
    };
    Ok(FindingsReport {
        name: place.to_string(),
        digest: Some(document.digest()),
        findings: verify::artifact(&watched, &document, &options).await?,
    })
}
