//! `gate`: may exactly this artifact be deployed? Every check with what it found, and a verdict.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use modelctl::gate::{self, Question, Report};
use modelctl::oci::Place;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::gating::{self, Judged, Tester};
use crate::options::{LockedOption, PolicyOptions, RegistryOptions};
use crate::output::Output;
use crate::worker::RuntimeOptions;

const HELP: &str = "\
Prints the digest that may be deployed, and nothing if none may; the checks go to stderr. Of a remote \
artifact kilobytes are read, and its weights only for the smoke test. What cannot be decided is never \
allowed: exit 5 if a check fails, 7 if one cannot be decided, 6 if only the registry is in the way. \
docs/policy.md says what a policy can ask for, docs/gate.md what each check finds.

Examples:
  modelctl gate registry.example/prod/mlp:v1 --policy modelctl-policy.toml
  modelctl gate registry.example/prod/mlp:v1 --locked --json
  modelctl gate mlp --locked --markdown
  modelctl gate ./mlp --as registry.example/prod/mlp
  digest=$(modelctl gate registry.example/prod/mlp:v1 -q) && \\
    deploy \"registry.example/prod/mlp@$digest\"";

/// Decide whether an artifact may be deployed: signatures, attestations, smoke test, policy
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct GateArgs {
    /// The artifact or folder
    #[arg(value_name = "ARTIFACT|DIR")]
    place: Place,
    /// The policy
    #[arg(long, value_name = "FILE", default_value = "modelctl-policy.toml")]
    policy: PathBuf,
    #[command(flatten)]
    location: PolicyOptions,
    #[command(flatten)]
    locked: LockedOption,
    /// Print a report for people, as Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Threads within an operator; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    #[command(flatten)]
    runtime: RuntimeOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// The report; as text what may be deployed: a digest, or a folder.
#[derive(Serialize)]
#[serde(transparent)]
struct GateReport(Report);

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.is_allowed(), &self.0.digest) {
            (false, _) => Ok(()),
            (true, Some(digest)) => digest.fmt(f),
            (true, None) => f.write_str(&self.0.name),
        }
    }
}

/// Asks, shows every answer, and fails unless it may be deployed.
pub(crate) async fn run(
    args: GateArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let policy = gating::policy(&args.policy).await?;
    let lock = gating::locked(&args.locked).await?;
    let place = gating::named(&args.place, lock.as_ref());
    let location = gating::location(&place, &args.location, context, &args.registry)?;
    let question = gating::question(place.to_string(), location, &policy, lock.as_ref());
    let report = match &place {
        Place::Path(folder) => judge_folder(&args, &question, folder, context, output).await,
        place => judge(&args, &question, place, context, output).await?,
    };
    gating::show(&report, output)?;
    let report = GateReport(report);
    match args.markdown {
        true => output.raw(report.0.to_markdown().as_bytes())?,
        false => output.report(&report)?,
    }
    gating::verdict(&report.0)?;
    Ok(output.note(format_args!("{} may be deployed", report.0.name))?)
}

async fn judge(
    args: &GateArgs,
    question: &Question<'_>,
    place: &Place,
    context: &Context,
    output: &Output,
) -> Result<Report, Failure> {
    let spot = context.open(place, &args.registry).await?;
    let resolved = match spot.resolve().await {
        Ok(document) => Ok(document),
        Err(Failure::Library(error)) => Err(error),
        Err(other) => return Err(other),
    };
    let tester = Tester {
        spot: Some(&spot),
        ..tester(args, question, context, output)
    };
    Ok(gate::artifact(question, resolved, &Judged::new(&spot), Some(&tester)).await)
}

async fn judge_folder(
    args: &GateArgs,
    question: &Question<'_>,
    folder: &Path,
    context: &Context,
    output: &Output,
) -> Report {
    let tester = tester(args, question, context, output);
    gate::folder(question, folder, Some(&tester)).await
}

fn tester<'a>(
    args: &'a GateArgs,
    question: &Question<'_>,
    context: &'a Context,
    output: &Output,
) -> Tester<'a> {
    Tester {
        name: question.name.clone(),
        spot: None,
        context,
        runtime: &args.runtime,
        threads: args.threads,
        style: output.style(),
    }
}
