//! `inspect`: what an artifact is, without its weights.

use clap::Args;
use modelctl::materialise::fetch_manifest;
use modelctl::oci::{Kind, Place};

use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::reports::{InspectReport, Inspected};

const HELP: &str = "\
Reads the OCI manifest and the model manifest: kilobytes, also of a remote model. With --json the
model manifest is the member `model`.

Examples:
  modelctl inspect registry.example/demo/mlp:v1
  modelctl inspect store:demo/mlp:v1 --json | jq .model.graphs
  modelctl inspect oci:./layout:v1 --raw";

/// Show what an artifact is: interface, files, layers, tests
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct InspectArgs {
    /// The artifact
    #[arg(value_name = "ARTIFACT")]
    place: Place,
    /// Print the OCI manifest as it is, byte for byte
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Fetches the manifest and, of a model, the model manifest.
pub(crate) async fn run(
    args: InspectArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let spot = context.open(&args.place, &args.registry).await?;
    let document = spot.resolve().await?;
    if args.raw {
        return Ok(output.raw(document.raw())?);
    }
    let model = match document.kind() {
        Kind::Manifest(_) => fetch_manifest(&spot.depot(), &document).await.map(Some)?,
        Kind::Index(_) => None,
    };
    Ok(output.report(&InspectReport {
        name: spot.to_string(),
        artifact: Inspected::from(&document),
        model,
    })?)
}
