//! Files and options → the plan of an artifact: what `pack` and `push PATH REF` have in common.

use std::path::PathBuf;

use modelctl::model::FilePath;
use modelctl::model::source::Selection;
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, ArtifactPlan, PlanOptions, TestSet};
use tempfile::TempDir;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{ContentOptions, TestOptions};
use crate::output::{Output, Style};
use crate::places::Spot;
use crate::progress::watch;
use crate::reports::PackedReport;
use crate::text::{Size, count};
use crate::worker::{Recording, record};

/// The variable that dates an artifact, of the Reproducible Builds project.
const DATE: &str = "SOURCE_DATE_EPOCH";

/// A planned artifact, and the recorded tests that it reads when it is stored.
pub(crate) struct Content {
    /// The plan.
    pub(crate) plan: ArtifactPlan,
    _recorded: Option<TempDir>,
}

/// Records tests if asked to, plans the artifact, and says what was found.
pub(crate) async fn plan(
    path: PathBuf,
    options: ContentOptions,
    context: &Context,
    output: &mut Output,
) -> Result<Content, Failure> {
    let mut plan_options = plan_options(&options, context)?;
    let tolerances = (options.tests.rtol, options.tests.atol);
    let mut recorded = None;
    if let Some(recording) = recording(path.clone(), options.tests)? {
        let tests = record(recording, &plan_options, context, output).await?;
        plan_options.tests.extend(tests.0);
        recorded = Some(tests.1);
    }
    for set in &mut plan_options.tests {
        set.rtol = tolerances.0.unwrap_or(set.rtol);
        set.atol = tolerances.1.unwrap_or(set.atol);
    }
    let plan = blocking(move || plan::build(&path, &plan_options)).await;
    let plan = plan.map_err(modelctl::Error::from)?;
    note(&plan, output)?;
    Ok(Content {
        plan,
        _recorded: recorded,
    })
}

/// What is to be recorded. How inputs are made says nothing where none are.
fn recording(path: PathBuf, options: TestOptions) -> Result<Option<Recording>, Failure> {
    let TestOptions {
        record,
        inputs,
        runtime,
        ..
    } = options;
    let given = [
        ("--shape", !inputs.shape.is_empty()),
        ("--range", !inputs.range.is_empty()),
    ];
    match (record, given.iter().find(|(_, given)| *given)) {
        (None, Some((option, _))) => Err(Failure::Option {
            option,
            reason: "is for inputs that are made: give `--record` as well".to_owned(),
        }),
        (None, None) => Ok(None),
        (Some(cases), _) => Ok(Some(Recording {
            path,
            cases,
            inputs,
            runtime,
        })),
    }
}

/// Stores the artifact and names it last. The digest in a name is checked first.
pub(crate) async fn store(
    plan: &ArtifactPlan,
    destination: &Spot,
    options: &PackOptions,
    style: Style,
) -> Result<PackedReport, Failure> {
    destination.may_be(&plan.manifest)?;
    let _hold = destination.hold()?;
    let sink = watch(destination.depot(), plan.stored_size(), style);
    let stored = pack::store(plan, &sink, options).await?;
    drop(sink);
    destination.tag(&plan.manifest.descriptor()).await?;
    Ok(PackedReport {
        name: destination.to_string(),
        plan: plan.into(),
        copied: stored.copied,
        mounted: stored.mounted,
        skipped: stored.skipped,
        bytes: stored.bytes,
    })
}

fn plan_options(options: &ContentOptions, context: &Context) -> Result<PlanOptions, Failure> {
    let pairs = options.annotation.iter().cloned();
    Ok(PlanOptions {
        selection: Selection {
            exclude: options.exclude.clone(),
            include: options.include.clone(),
        },
        name: options.name.clone(),
        version: options.version.clone(),
        licenses: options.license.clone(),
        annotations: pairs.map(|pair| (pair.key, pair.value)).collect(),
        created: created(context)?,
        tests: test_sets(&options.tests)?,
    })
}

/// The date of the artifact. A value that is none ends the command, as the specification asks.
fn created(context: &Context) -> Result<Option<u64>, Failure> {
    let text = context.environment().text(DATE);
    let parsed = text.map(|text| {
        text.parse().map_err(|_| Failure::Option {
            option: DATE,
            reason: format!("expected seconds since 1970, got `{text}`"),
        })
    });
    parsed.transpose()
}

fn test_sets(options: &TestOptions) -> Result<Vec<TestSet>, Failure> {
    let sets = options.tests.iter().map(|given| {
        let graph = given.graph.as_ref().map(|graph| graph.parse::<FilePath>());
        let graph = graph.transpose().map_err(|error| Failure::Option {
            option: "--tests",
            reason: error.to_string(),
        })?;
        Ok(TestSet::new(&given.folder, graph))
    });
    sets.collect()
}

/// How many names of what was left out are said; `--json` has all of them.
const NAMES: usize = 8;

fn note(plan: &ArtifactPlan, output: &mut Output) -> Result<(), Failure> {
    let files = count(plan.model_manifest.files.len(), "file");
    let layers = count(plan.layers.len(), "layer");
    output.note(format_args!(
        "{files} ({}) in {layers} ({})",
        Size(plan.original_size()),
        Size(plan.stored_size())
    ))?;
    let left_out = &plan.left_out;
    if !left_out.is_empty() {
        let shown = left_out.iter().take(NAMES).map(String::as_str);
        let names = shown.collect::<Vec<_>>().join(", ");
        let more = if left_out.len() > NAMES { ", …" } else { "" };
        output.note(format_args!("left out {}: {names}{more}", left_out.len()))?;
    }
    Ok(())
}
