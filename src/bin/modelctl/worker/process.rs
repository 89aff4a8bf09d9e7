//! What runs ONNX Runtime: a process of its own, with limits, so that a model that exhausts memory
//! or crashes the library ends nothing but itself (security row A54).
//!
//! This program starts itself again with a [`Request`]. The worker writes its report and its errors
//! to the streams that it inherits, and its exit code is that of the command.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use modelctl::run::{self, LibrarySearch, Limits, RunError};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::blocking::blocking;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::output::{Output, Style};

/// Bytes in the unit of `--memory-limit`.
const MIB: u64 = 1 << 20;
/// The least memory limit, in that unit: ONNX Runtime takes 300 of address space to load.
const LEAST_MEMORY: u64 = 512;

/// Where ONNX Runtime is, and what it may use.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "ONNX Runtime")]
pub(crate) struct RuntimeOptions {
    /// Its shared library, by default that of the Python package
    #[arg(long, value_name = "FILE")]
    ort_lib: Option<PathBuf>,
    /// Memory that it may use, in MiB; 0 is unlimited
    #[arg(long, value_name = "MIB", default_value_t = 16384, value_parser = memory)]
    memory_limit: u64,
    /// Time that it may take, in seconds; 0 is unlimited
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time_limit: u64,
}

/// Parses a limit with which the library at least loads: below that there would be nothing but
/// crashes of the worker.
fn memory(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(limit) if limit == 0 || limit >= LEAST_MEMORY => Ok(limit),
        _ => Err(format!("expected 0 or at least {LEAST_MEMORY} (MiB)")),
    }
}

/// What a worker is told.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    library: PathBuf,
    memory: Option<u64>,
    task: Task,
}

/// Do what `run` and `pack --record` hand over
#[derive(Args)]
pub(crate) struct WorkerArgs {
    /// The request, as JSON
    request: String,
}

/// Does a task in a worker. Its report goes to `stdout`.
pub(crate) async fn delegate(
    task: Task,
    options: &RuntimeOptions,
    context: &Context,
    (style, stdout): (Style, Stdio),
) -> Result<(), Failure> {
    let mut command = command(style)?;
    command.stdout(stdout);
    match supervise(command, task, options, context).await? {
        exit::OK => Ok(()),
        code => Err(Failure::Worker(code)),
    }
}

/// What a worker said, and how it ended.
pub(crate) struct Answer {
    /// Its exit code.
    pub(crate) code: u8,
    /// Its report as JSON, if it got so far.
    pub(crate) stdout: Vec<u8>,
    /// Its events as JSON, of which the last one is its failure.
    stderr: Vec<u8>,
}

impl Answer {
    /// Why it failed.
    pub(crate) fn reason(&self) -> String {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let lines = stderr.lines().rev();
        let mut errors = lines.filter_map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(event.get("error")?.as_str()?.to_owned())
        });
        let unsaid = || format!("the worker failed with exit code {}", self.code);
        errors.next().unwrap_or_else(unsaid)
    }
}

/// The most that is kept of what a worker says, in bytes: a report has a line for each output.
const MAX_ANSWER: u64 = 64 * MIB;

/// Does a task in a worker that tells nobody but the caller.
pub(crate) async fn ask(
    task: Task,
    options: &RuntimeOptions,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut command = command(Style {
        json: true,
        quiet: true,
        ..Style::default()
    })?;
    let (stdout, stderr) = (scratch_file()?, scratch_file()?);
    command.stdout(stdout.try_clone().map_err(not_found)?);
    command.stderr(stderr.try_clone().map_err(not_found)?);
    let code = supervise(command, task, options, context).await?;
    Ok(Answer {
        code,
        stdout: said(stdout)?,
        stderr: said(stderr)?,
    })
}

/// A file without a name: a pipe that nobody empties would stop the worker.
fn scratch_file() -> Result<File, Failure> {
    tempfile::tempfile().map_err(Failure::file(std::env::temp_dir()))
}

fn said(mut file: File) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = file.rewind();
    let read = read.and_then(|()| file.take(MAX_ANSWER).read_to_end(&mut bytes));
    read.map_err(not_found)?;
    Ok(bytes)
}

/// Runs a worker to its end and gives its exit code.
async fn supervise(
    mut command: Command,
    task: Task,
    options: &RuntimeOptions,
    context: &Context,
) -> Result<u8, Failure> {
    let search = options.search(context, task.untrusted());
    let limits = options.limits();
    let code = blocking(move || {
        let request = Request {
            library: run::find_library(&search)?,
            memory: limits.memory,
            task,
        };
        let request = serde_json::to_string(&request);
        let untold = |error| RunError::Worker(format!("could not be told what to do: {error}"));
        run::supervise(command.arg(request.map_err(untold)?), &limits)
    });
    let code = code.await.map_err(modelctl::Error::from)?;
    Ok(u8::try_from(code).unwrap_or(exit::FAILED))
}

/// The worker's side.
pub(crate) async fn run(args: WorkerArgs, output: &mut Output) -> Result<(), Failure> {
    let request: Request =
        serde_json::from_str(&args.request).map_err(|error| Failure::Option {
            option: "worker",
            reason: error.to_string(),
        })?;
    let limits = Limits {
        memory: request.memory,
        time: None,
    };
    limits.confine()?;
    let report = blocking(move || request.task.run(&request.library)).await?;
    report.show(output)
}

impl RuntimeOptions {
    fn limits(&self) -> Limits {
        let limit = |value: u64| Some(value).filter(|value| *value > 0);
        Limits {
            memory: limit(self.memory_limit).map(|mebibytes| mebibytes.saturating_mul(MIB)),
            time: limit(self.time_limit).map(Duration::from_secs),
        }
    }

    /// Finds the library; blocks when it is called.
    pub(crate) fn library(
        &self,
        context: &Context,
    ) -> impl FnOnce() -> Result<PathBuf, RunError> + Send + 'static {
        let search = self.search(context, None);
        move || run::find_library(&search)
    }

    fn search(&self, context: &Context, untrusted: Option<PathBuf>) -> LibrarySearch {
        let environment = context.environment();
        let executable = std::env::current_exe().ok();
        LibrarySearch {
            explicit: self.ort_lib.clone(),
            dylib_path: environment.path("ORT_DYLIB_PATH"),
            executable_dir: executable.and_then(|path| Some(path.parent()?.to_owned())),
            virtual_env: environment.path("VIRTUAL_ENV"),
            current_dir: std::env::current_dir().ok(),
            conda_prefix: environment.path("CONDA_PREFIX"),
            path: environment.search_path(),
            untrusted,
        }
    }
}

fn not_found(source: std::io::Error) -> Failure {
    Failure::file("modelctl")(source)
}

/// This program again, writing in the same way.
fn command(style: Style) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe().map_err(not_found)?);
    command.arg("worker").stdin(Stdio::null());
    // From 1.32 on ONNX Runtime keeps an identity of the machine in the home directory, and records
    // events there, before it can be told not to by its API.
    command.env("ORT_DISABLE_TELEMETRY", "1");
    if style.json {
        command.arg("--json");
    }
    if style.quiet {
        command.arg("--quiet");
    }
    Ok(command)
}
