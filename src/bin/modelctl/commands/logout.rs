//! `logout`: erases the credential of a registry.

use std::fmt;

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::{RegistryOptions, host};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  modelctl logout registry.example";

/// Erase the stored credential of a registry
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogoutArgs {
    /// Host of the registry, with its port if it has one
    #[arg(value_name = "REGISTRY", value_parser = host)]
    host: String,
}

/// Whether there was one. As text nothing: it was said on stderr.
#[derive(Serialize)]
struct LogoutReport {
    registry: String,
    erased: bool,
}

impl fmt::Display for LogoutReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Erases it from Docker's file and from the helper that the file names.
pub(crate) async fn run(
    args: LogoutArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = context.environment().docker_config();
    let file = file.ok_or(Failure::NoHome("Docker's config.json"))?;
    let client = context.client(&RegistryOptions::default(), None)?;
    let registry = args.host;
    let erased = client.log_out(&registry, &file).await?;
    match erased {
        true => output.note(format_args!("logged out of {registry}"))?,
        false => output.note(format_args!("{registry} has no stored credential"))?,
    }
    Ok(output.report(&LogoutReport { registry, erased })?)
}
