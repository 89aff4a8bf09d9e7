//! `inspect`: what an artifact or a pulled folder is, without its weights.

use std::path::PathBuf;

use clap::Args;
use modelctl::materialise::fetch_manifest;
use modelctl::oci::{Document, Kind, Place};
use modelctl::store::Referrers as _;
use modelctl::verify;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::places::Spot;
use crate::reports::{InspectReport, Inspected, MAX_REFERRERS, Referring};

const HELP: &str = "\
Reads the OCI manifest and the model manifest: kilobytes, also of a remote model. With --json the \
model manifest is the member `model`. Of a folder only the model manifest is read; `verify` says \
whether the files are those that it names. What refers to an artifact (signatures, attestations) is listed as \
the place has it, the first 50, and not verified.

Examples:
  modelctl inspect registry.example/demo/mlp:v1
  modelctl inspect store:demo/mlp:v1 --json | jq .model.graphs
  modelctl inspect oci:./layout:v1 --raw
  modelctl inspect ./mlp";

/// Show what an artifact is: interface, files, layers, tests
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct InspectArgs {
    /// The artifact or folder
    #[arg(value_name = "ARTIFACT|DIR")]
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
    if let Place::Path(path) = args.place {
        return Ok(output.report(&folder(path, args.raw).await?)?);
    }
    let spot = context.open(&args.place, &args.registry).await?;
    let document = spot.resolve().await?;
    if args.raw {
        return Ok(output.raw(document.raw())?);
    }
    let model = match document.kind() {
        Kind::Manifest(_) => fetch_manifest(&spot.depot(), &document).await.map(Some)?,
        Kind::Index(_) => None,
    };
    let referrers = referrers(&spot, &document, output).await?;
    Ok(output.report(&InspectReport {
        name: spot.to_string(),
        artifact: Some(Inspected::from(&document)),
        referrers,
        model,
    })?)
}

/// What refers to the artifact. A place that cannot say hides nothing else.
async fn referrers(
    spot: &Spot,
    document: &Document,
    output: &mut Output,
) -> Result<Option<Referring>, Failure> {
    let (depot, digest) = (spot.depot(), document.digest());
    // One more, to know whether there are more.
    let listed = depot.first_referrers(&digest, MAX_REFERRERS + 1);
    match listed.await {
        Ok(listed) => Ok(Some(listed.into())),
        Err(error) => {
            output.warn(format_args!("what refers to it cannot be listed: {error}"))?;
            Ok(None)
        }
    }
}

/// What the model manifest of a folder says.
async fn folder(path: PathBuf, raw: bool) -> Result<InspectReport, Failure> {
    if raw {
        return Err(Failure::Option {
            option: "--raw",
            reason: "a folder has no OCI manifest; name the artifact that it was pulled from"
                .to_owned(),
        });
    }
    let name = path.display().to_string();
    let model = blocking(move || verify::read_manifest(&path)).await?;
    Ok(InspectReport {
        name,
        artifact: None,
        referrers: None,
        model: Some(model),
    })
}
