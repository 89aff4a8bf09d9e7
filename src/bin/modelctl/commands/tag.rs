//! `tag`: gives an artifact more tags where it is.

use clap::Args;
use modelctl::oci::{Place, Tag};

use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::reports::TransferReport;

const EXAMPLES: &str = "\
Examples:
  modelctl tag registry.example/demo/mlp@sha256:… v1 stable
  modelctl tag store:demo/mlp:v1 v2";

/// Give an artifact more tags where it is
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TagArgs {
    /// The artifact: in a registry, the store or a layout
    #[arg(value_name = "ARTIFACT")]
    place: Place,
    /// The new tags
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<Tag>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Resolves the artifact once, then tags its digest.
pub(crate) async fn run(
    args: TagArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let spot = context.open(&args.place, &args.registry).await?;
    let document = spot.resolve().await?;
    let descriptor = document.descriptor();
    for tag in args.tags {
        let tagged = spot.with_tag(tag);
        tagged.tag(&descriptor).await?;
        output.note(format_args!("tagged {tagged}"))?;
    }
    let name = args.place.to_string();
    Ok(output.report(&TransferReport::unmoved(name, descriptor.digest))?)
}
