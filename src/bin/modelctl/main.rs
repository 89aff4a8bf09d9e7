//! The command line of modelctl: arguments → one call of the library → a report and an exit code.
//!
//! Everything that touches terminal, environment or home directory is in this binary, which uses
//! only the public API of the library.

mod args;
mod blocking;
mod client;
mod commands;
mod content;
mod content_options;
mod context;
mod depot;
mod environment;
mod exit;
mod failure;
mod hint;
mod input_options;
mod locate;
mod output;
mod progress;
mod record;
mod registry_options;
mod reports;
mod session;
mod settings;
mod signal;
mod spot;
mod task;
mod text;
mod usage;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = match args::Cli::parse_words() {
        Ok((cli, command)) => session::run(cli, &command, environment::Environment::of_process()),
        Err(error) => usage::show(&error),
    };
    ExitCode::from(code)
}
