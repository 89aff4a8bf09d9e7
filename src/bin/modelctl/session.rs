//! One run of the program: sets up output, log and runtime, runs the command, shows how it ended.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command, GlobalOptions};
use crate::context::{Context, Environment};
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::{exit, hint, signal};

/// How long work that was cut off may take to notice it.
const NOTICE: Duration = Duration::from_millis(20);
/// How long work that was cut off may take to remove its temporary files.
const GRACE: Duration = Duration::from_millis(800);

/// Runs the command and gives the exit code.
pub(crate) fn run(cli: Cli, name: &str, environment: Environment) -> u8 {
    let style = style(&cli.global, &environment);
    let mut output = Output::new(Box::new(io::stdout()), Box::new(io::stderr()), style);
    log(cli.global.verbose, style.coloured);
    let context = Context::new(environment, cli.global.store);
    let result = execute(cli.command, &context, &mut output);
    match result {
        Ok(()) => exit::OK,
        Err(failure) => {
            // Where stderr is gone there is nobody to tell.
            let _ = failure.show(hint::of(&failure, name), &mut output);
            failure.exit_code()
        }
    }
}

/// Runs the command to its end, or until a signal comes.
fn execute(command: Command, context: &Context, output: &mut Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let is_server = command.is_server();
    let work = command.run(context, output);
    let result = match is_server {
        true => runtime.block_on(work),
        false => runtime.block_on(signal::until_signal(work)),
    };
    if result.is_err() {
        // What was cut off notices it while its timers still run.
        runtime.block_on(async { tokio::time::sleep(NOTICE).await });
    }
    runtime.shutdown_timeout(GRACE);
    result
}

fn style(global: &GlobalOptions, environment: &Environment) -> Style {
    let terminal =
        io::stderr().is_terminal() && environment.text("TERM").as_deref() != Some("dumb");
    Style {
        json: global.json,
        quiet: global.quiet,
        coloured: terminal && environment.text("NO_COLOR").is_none(),
        progress: terminal && !global.quiet && !global.json,
    }
}

/// Sends the library's log to stderr. Other crates stay silent: they do not know what is secret.
fn log(verbose: u8, coloured: bool) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,modelctl={level}")))
        .with_writer(io::stderr)
        .with_ansi(coloured)
        .without_time()
        .init();
}
