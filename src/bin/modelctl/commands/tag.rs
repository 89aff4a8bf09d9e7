//! `tag`: gives an artifact more tags where it is.

use std::fmt;

use clap::Args;
use modelctl::oci::{Digest, Place, Tag};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;

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

/// The new names; as text the digest that they lead to.
#[derive(Serialize)]
struct TagReport {
    digest: Digest,
    names: Vec<String>,
}

impl fmt::Display for TagReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
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
    let mut names = Vec::new();
    for tag in args.tags {
        let tagged = spot.with_tag(tag);
        tagged.tag(&descriptor).await?;
        output.note(format_args!("tagged {tagged}"))?;
        names.push(tagged.to_string());
    }
    let digest = descriptor.digest;
    Ok(output.report(&TagReport { digest, names })?)
}
