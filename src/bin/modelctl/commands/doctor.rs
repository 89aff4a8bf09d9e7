//! `doctor`: what of this machine modelctl would use, and what is missing.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use modelctl::store::Layout;
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{RegistryOptions, host};
use crate::output::Output;
use crate::text::Table;
use crate::worker::RuntimeOptions;

const HELP: &str = "\
Changes nothing. With a registry it asks whether it is there and accepts the credentials.

Examples:
  modelctl doctor
  modelctl doctor registry.example:5000 --json";

/// Show what would be used: store, settings, credentials, ONNX Runtime, a registry
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct DoctorArgs {
    /// Host of a registry to ask
    #[arg(value_name = "REGISTRY", value_parser = host)]
    host: Option<String>,
    #[command(flatten)]
    runtime: RuntimeOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Everything that was looked at.
#[derive(Serialize)]
struct DoctorReport {
    parts: Vec<Part>,
}

/// A part, and how it is.
#[derive(Serialize)]
struct Part {
    part: &'static str,
    ready: bool,
    state: String,
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        for part in &self.parts {
            let ready = if part.ready { "ready" } else { "-" };
            table.row([part.part.to_owned(), ready.to_owned(), part.state.clone()]);
        }
        table.fmt(f)
    }
}

/// Looks at each part.
pub(crate) async fn run(
    args: DoctorArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let environment = context.environment();
    let mut parts = vec![
        store(context.store_path()?),
        file("settings", environment.settings()),
        file("Docker's credentials", environment.docker_config()),
        file("Podman's credentials", environment.podman_auth()),
    ];
    let library = args.runtime.library(context);
    let library = blocking(library).await;
    parts.push(Part::new(
        "ONNX Runtime",
        library.map(|path| path.display().to_string()),
    ));
    if let Some(host) = &args.host {
        let reached = ping(host, &args.registry, context).await;
        parts.push(Part::new("registry", reached.map(|()| host.clone())));
    }
    Ok(output.report(&DoctorReport { parts })?)
}

impl Part {
    fn new<E: fmt::Display>(part: &'static str, state: Result<String, E>) -> Self {
        Self {
            part,
            ready: state.is_ok(),
            state: state.unwrap_or_else(|error| error.to_string()),
        }
    }
}

fn store(path: PathBuf) -> Part {
    let shown = path.display().to_string();
    if !path.exists() {
        return Part::new("store", Err(format!("{shown}: not there yet")));
    }
    Part::new("store", Layout::open(&path).map(|_| shown))
}

fn file(part: &'static str, path: Option<PathBuf>) -> Part {
    let state = match path {
        Some(path) if Path::exists(&path) => Ok(path.display().to_string()),
        Some(path) => Err(format!("{}: not there", path.display())),
        None => Err("nothing says where it would be".to_owned()),
    };
    Part::new(part, state)
}

async fn ping(host: &str, options: &RegistryOptions, context: &Context) -> Result<(), Failure> {
    Ok(context.client(options, Some(host))?.ping(host).await?)
}
