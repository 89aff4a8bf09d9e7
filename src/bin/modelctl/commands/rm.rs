//! `rm`: removes tags and artifacts, in a registry, the store or a layout.

use std::fmt;

use clap::Args;
use modelctl::ErrorKind;
use modelctl::oci::{Digest, Place};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  modelctl rm store:demo/mlp:v1
  modelctl rm registry.example/demo/mlp:v1
  modelctl rm registry.example/demo/mlp@sha256:…";

/// Remove a tag, or with a digest the artifact and all its tags
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RmArgs {
    /// What to remove; several may be named
    #[arg(value_name = "ARTIFACT", required = true)]
    places: Vec<Place>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// What was removed. As text nothing: it was said on stderr.
#[derive(Serialize)]
struct RemovedReport {
    removed: Vec<Removed>,
}

/// A name that leads nowhere now, and what it led to.
#[derive(Serialize)]
struct Removed {
    name: String,
    digest: Digest,
}

impl fmt::Display for RemovedReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Removes one after the other. What is not there is told at the end, when the rest is gone; any
/// other failure ends it.
pub(crate) async fn run(
    args: RmArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut removed = Vec::new();
    let mut absent = Vec::new();
    for place in &args.places {
        let digest = match remove(place, &args.registry, context).await {
            Err(failure) if failure.kind() == ErrorKind::NotFound => {
                absent.push((place, failure));
                continue;
            }
            outcome => outcome?,
        };
        output.note(format_args!("removed {place} ({digest})"))?;
        removed.push(Removed {
            name: place.to_string(),
            digest,
        });
    }
    output.report(&RemovedReport { removed })?;
    match absent.len() {
        0 => Ok(()),
        // This one says where it was looked for.
        1 => absent.into_iter().try_for_each(|(_, failure)| Err(failure)),
        _ => {
            let places = absent.iter().map(|(place, _)| place.to_string());
            Err(Failure::Absent(places.collect()))
        }
    }
}

async fn remove(
    place: &Place,
    options: &RegistryOptions,
    context: &Context,
) -> Result<Digest, Failure> {
    let spot = context.open(place, options).await?;
    spot.remove().await
}
