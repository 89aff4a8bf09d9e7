//! `login`: asks a registry whether it accepts a credential, and stores it.

use std::fmt;

use clap::Args;
use modelctl::transport::Secret;
use modelctl::transport::credentials::{Credential, StoredIn};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::options::{RegistryOptions, host};
use crate::output::Output;
use crate::prompt::{ask, ask_secret};

const HELP: &str = "\
The credential goes to the helper that Docker's config.json names, else into that file, which only \
its owner can read. It is stored only if the registry accepts it.

Examples:
  modelctl login registry.example -u me
  echo \"$TOKEN\" | modelctl login registry.example -u me --password-stdin";

/// Log in to a registry
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct LoginArgs {
    /// Host of the registry, with its port if it has one
    #[arg(value_name = "REGISTRY", value_parser = host)]
    host: String,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Where the credential is now. As text nothing: it was said on stderr.
#[derive(Serialize)]
struct LoginReport {
    registry: String,
    stored: String,
}

impl fmt::Display for LoginReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Asks for what was not given, then the registry, then stores.
pub(crate) async fn run(
    args: LoginArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = context.environment().docker_config();
    let file = file.ok_or(Failure::NoHome("Docker's config.json"))?;
    let client = context.client(&args.registry, None)?;
    let credential = credential(&args, context, output).await?;
    let stored = client.log_in(&args.host, &credential, &file).await?;
    let stored = match stored {
        StoredIn::File(path) => path.display().to_string(),
        StoredIn::Helper(name) => format!("the credential helper `{name}`"),
    };
    let registry = args.host;
    output.note(format_args!("logged in to {registry}; stored in {stored}"))?;
    Ok(output.report(&LoginReport { registry, stored })?)
}

async fn credential(
    args: &LoginArgs,
    context: &Context,
    output: &mut Output,
) -> Result<Credential, Failure> {
    let username = match &args.registry.username {
        Some(username) => username.clone(),
        None => ask(output, "user name: ")
            .await?
            .filter(|name| !name.is_empty())
            .ok_or(Failure::NoUsername)?,
    };
    let password = match context.password(&args.registry)? {
        Some(password) => password,
        None => ask_secret(output, "password: ")
            .await?
            .map(Secret::from)
            .ok_or(Failure::NoPassword)?,
    };
    if password.is_empty() {
        return Err(Failure::NoPassword);
    }
    Ok(Credential::password(username, password))
}
