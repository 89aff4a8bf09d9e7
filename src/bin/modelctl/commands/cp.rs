//! `cp`: copies an artifact between registries, the store, layouts and archives.

use clap::Args;
use modelctl::oci::Place;
use modelctl::transfer::{self, CopyOptions};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::registry_options::RegistryOptions;
use crate::reports::TransferReport;

const EXAMPLES: &str = "\
Examples:
  modelctl cp registry.example/demo/mlp:v1 other.example/demo/mlp:v1
  modelctl cp store:demo/mlp:v1 oci:./layout:v1
  modelctl cp registry.example/demo/mlp@sha256:… oci-archive:mlp.tar:v1
  modelctl cp oci-archive:mlp.tar:v1 registry.example/demo/mlp:v1";

/// Copy an artifact, and what refers to it, between registries, store, layouts and archives
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CpArgs {
    /// What to copy
    #[arg(value_name = "SOURCE")]
    source: Place,
    /// Where to, and under which name
    #[arg(value_name = "DESTINATION")]
    destination: Place,
    /// Leave signatures and other referrers behind
    #[arg(long)]
    no_referrers: bool,
    /// Blobs in flight at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Resolves the source once, copies by digest, and names the copy last.
pub(crate) async fn run(
    args: CpArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let source = context.open(&args.source, &args.registry)?;
    let destination = context.create(&args.destination, &args.registry)?;
    let document = source.resolve().await?;
    destination.may_be(&document)?;
    let _hold = destination.hold()?;
    let options = CopyOptions {
        referrers: !args.no_referrers,
        ..context.copy_options(args.jobs)
    };
    let copied = transfer::copy(&source.depot, &destination.depot, &document, &options).await?;
    destination.tag(&document.descriptor()).await?;
    let name = args.destination.to_string();
    let report = TransferReport::new(name, document.digest(), &copied);
    output.note(report.note("copied"))?;
    Ok(output.report(&report)?)
}
