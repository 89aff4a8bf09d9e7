//! Files and options → the plan of an artifact: what `pack` and `push PATH REF` have in common.

use std::path::PathBuf;

use modelctl::model::FilePath;
use modelctl::model::source::Selection;
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, ArtifactPlan, PlanOptions, TestSet};

use crate::blocking::blocking;
use crate::content_options::{ContentOptions, TestOptions};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::reports::PackedReport;
use crate::spot::Spot;
use crate::text::{Size, count};

/// The variable that dates an artifact, of the Reproducible Builds project.
const DATE: &str = "SOURCE_DATE_EPOCH";

/// Plans the artifact, and says what was found.
pub(crate) async fn plan(
    path: PathBuf,
    options: ContentOptions,
    context: &Context,
    output: &mut Output,
) -> Result<ArtifactPlan, Failure> {
    let options = plan_options(options, context)?;
    let plan = blocking(move || plan::build(&path, &options)).await;
    let plan = plan.map_err(modelctl::Error::from)?;
    note(&plan, output)?;
    Ok(plan)
}

/// Stores the artifact and names it last. The digest in a name is checked first.
pub(crate) async fn store(
    plan: &ArtifactPlan,
    destination: &Spot,
    jobs: Option<u8>,
) -> Result<PackedReport, Failure> {
    destination.may_be(&plan.manifest)?;
    let _hold = destination.hold()?;
    let default = PackOptions::default();
    let options = PackOptions {
        jobs: jobs.map_or(default.jobs, usize::from),
    };
    let stored = pack::store(plan, &destination.depot(), &options).await?;
    destination.tag(&stored.manifest).await?;
    Ok(PackedReport {
        name: destination.to_string(),
        plan: plan.into(),
        copied: stored.stored,
        skipped: stored.present,
        bytes: stored.stored_size,
    })
}

fn plan_options(options: ContentOptions, context: &Context) -> Result<PlanOptions, Failure> {
    let pairs = options.annotation.into_iter();
    Ok(PlanOptions {
        selection: Selection {
            exclude: options.exclude,
            include: options.include,
        },
        name: options.name,
        version: options.version,
        licenses: options.license,
        annotations: pairs.map(|pair| (pair.key, pair.value)).collect(),
        created: created(context)?,
        tests: test_sets(options.tests)?,
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

fn test_sets(options: TestOptions) -> Result<Vec<TestSet>, Failure> {
    let sets = options.tests.into_iter().map(|folder| {
        let graph = folder.graph.map(|graph| graph.parse::<FilePath>());
        let graph = graph.transpose().map_err(|error| Failure::Option {
            option: "--tests",
            reason: error.to_string(),
        })?;
        let set = TestSet::new(folder.folder, graph);
        Ok(TestSet {
            rtol: options.rtol.unwrap_or(set.rtol),
            atol: options.atol.unwrap_or(set.atol),
            ..set
        })
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
