//! The command line of modelctl: arguments → one call of the library → a report and an exit code.
//!
//! Everything that touches terminal, environment or home directory is in this binary, which uses
//! only the public API of the library.

mod args;
mod blocking;
mod commands;
mod content;
mod context;
mod exit;
mod failure;
mod files;
mod gating;
mod hint;
mod options;
mod output;
mod places;
mod progress;
mod prompt;
mod reports;
mod seeding;
mod session;
mod signal;
mod signatures;
mod text;
mod usage;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    let code = match args::Cli::parse_words() {
        Ok((cli, command)) => session::run(cli, &command, context::Environment::of_process()),
        Err(error) => usage::show(&error),
    };
    ExitCode::from(code)
}
