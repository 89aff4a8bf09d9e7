//! One run of the program: sets up output, log and runtime, runs the command, shows how it ended.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command, GlobalOptions};
use crate::context::{Context, Environment};
use crate::failure::Failure;
use crate::hint::Typed;
use crate::output::{Output, Style};
use crate::progress::{Stderr, log_event};
use crate::signal::{self, Signal};
use crate::{exit, hint};

/// How long work that was cut off may take to notice it.
const NOTICE: Duration = Duration::from_millis(20);
/// How long work that was cut off may take to remove its temporary files.
const GRACE: Duration = Duration::from_millis(800);

/// Runs the command and gives the exit code.
pub(crate) fn run(cli: Cli, name: &str, environment: Environment) -> u8 {
    let style = style(&cli.global, &environment);
    let mut output = Output::new(Box::new(io::stdout()), Box::new(Stderr), style);
    log(cli.global.verbose, style);
    let context = Context::new(environment, cli.global.store);
    let typed = Typed {
        name: name.to_owned(),
        is_resumed: cli.command.is_resumed(),
    };
    let interrupted = typed.clone();
    let last_words = move |signal| {
        let mut output = Output::new(Box::new(io::stdout()), Box::new(Stderr), style);
        end(&Failure::Interrupted(signal), &interrupted, &mut output)
    };
    match execute(cli.command, &context, &mut output, last_words) {
        Ok(()) => exit::OK,
        Err(failure) => end(&failure, &typed, &mut output),
    }
}

/// Shows how the command ended, unless that was shown already, and gives the exit code.
fn end(failure: &Failure, typed: &Typed, output: &mut Output) -> u8 {
    if signal::may_show() {
        // Where stderr is gone there is nobody to tell.
        let _ = failure.show(hint::of(failure, typed), output);
    }
    failure.exit_code()
}

/// Runs the command to its end, or until a signal comes.
fn execute(
    command: Command,
    context: &Context,
    output: &mut Output,
    last_words: impl FnOnce(Signal) -> u8 + Send + 'static,
) -> Result<(), Failure> {
    signal::probe()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    signal::outlive_file_limit(&runtime)?;
    let is_server = command.is_server();
    let work = command.run(context, output);
    let result = match is_server {
        true => runtime.block_on(work),
        false => {
            let listener = signal::listen(&runtime, last_words)?;
            runtime.block_on(listener.until(work))
        }
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
fn log(verbose: u8, style: Style) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("off,modelctl={level}")))
        .with_writer(move || Log { json: style.json })
        .with_ansi(false)
        .without_time()
        .init();
}

/// Takes the lines of the log, each in one piece.
struct Log {
    json: bool,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self.json {
            true => log_event(String::from_utf8_lossy(line).trim_end()),
            false => Stderr.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
