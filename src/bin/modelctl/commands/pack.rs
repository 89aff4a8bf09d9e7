//! `pack`: files → an artifact in the local store or a layout.

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::{Place, Reference};
use modelctl::pack::PackOptions;

use crate::content;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{ContentOptions, RegistryOptions};
use crate::output::Output;
use crate::reports::PlanReport;

const HELP: &str = "\
Prints the digest. The same files and options give the same digest everywhere; it is dated only if \
SOURCE_DATE_EPOCH is set. What .modelctlignore and --exclude name is left out.

Examples:
  modelctl pack ./model -t registry.example/demo/mlp:v1
  modelctl pack model.onnx -t demo/mlp:v1 --record 1 --shape input=1,3,224,224
  modelctl pack ./model -o oci:./layout:v1 --name mlp --version 1.0 --license Apache-2.0
  modelctl pack ./model --dry-run --json";

/// Pack a model, a file or a folder, into the local store or a layout
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct PackArgs {
    /// The file or folder
    path: PathBuf,
    /// Name of the entry in the store, which `push` then sends to that reference [default tag:
    /// latest]
    #[arg(
        long,
        short,
        value_name = "REFERENCE",
        required_unless_present_any = ["output", "dry_run"]
    )]
    tag: Option<Reference>,
    /// Write an OCI image layout instead
    #[arg(long, short, value_name = "oci:DIR[:TAG]", conflicts_with = "tag")]
    output: Option<Place>,
    /// Print what would be packed, and its digest; write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    content: ContentOptions,
}

/// Plans, then stores what was planned and names it.
pub(crate) async fn run(
    args: PackArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let destination = match args.dry_run {
        true => None,
        false => destination(args.output, args.tag)?,
    };
    let content = content::outline(args.path, args.content, context, output).await?;
    let content = content.plan(output.style()).await?;
    let Some(destination) = destination else {
        return Ok(output.report(&PlanReport::from(&content.plan))?);
    };
    // Made only now, so that a plan that fails leaves no empty layout behind.
    let options = RegistryOptions::default();
    let destination = context.create(&destination, &options).await?;
    let options = PackOptions::default();
    let style = output.style();
    let stored = content::store(&content.plan, &destination.spot, &options, style).await;
    let report = destination.settle(stored).await?;
    output.note(report.note("packed"))?;
    Ok(output.report(&report)?)
}

fn destination(output: Option<Place>, tag: Option<Reference>) -> Result<Option<Place>, Failure> {
    match (output, tag) {
        (Some(place @ Place::Layout { .. }), _) => Ok(Some(place)),
        (Some(place), _) => Err(Failure::WrongPlace {
            place,
            expected: "`oci:DIR[:TAG]`",
        }),
        (None, tag) => Ok(tag.map(|tag| Place::Store(tag.or_latest()))),
    }
}
