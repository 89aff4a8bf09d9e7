//! The command line of modelctl: arguments → one call of the library → a report and an exit code.
//!
//! Everything that touches terminal, environment or home directory is in this binary, which uses
//! only the public API of the library.

mod args;
mod commands;
mod context;
mod environment;
mod exit;
mod failure;
mod hint;
mod output;
mod registry_options;
mod session;
mod settings;
mod signal;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let code = match args::Cli::try_parse() {
        Ok(cli) => session::run(cli, environment::Environment::of_process()),
        Err(error) => usage::show(&error),
    };
    ExitCode::from(code)
}
