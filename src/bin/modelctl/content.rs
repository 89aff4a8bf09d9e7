//! Files and options → the plan of an artifact: what `pack` and `push PATH REF` have in common.

use std::path::PathBuf;

use modelctl::model::FilePath;
use modelctl::model::source::Selection;
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{ArtifactPlan, LayerSigner, Outline, PlanOptions, TestSet};
use modelctl::trust::oms::Signer;
use tempfile::TempDir;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{ContentOptions, SignatureOptions, TestOptions};
use crate::output::{Output, Style};
use crate::places::Spot;
use crate::progress::{show_hashing, watch};
use crate::reports::PackedReport;
use crate::text::{Size, count};
use crate::worker::{Recording, record};

/// An outlined artifact, and the recorded tests that it reads when it is stored.
pub(crate) struct Content {
    /// The outline.
    outline: Outline,
    _recorded: Option<TempDir>,
}

/// A planned artifact, and the recorded tests that it reads when it is stored.
pub(crate) struct Planned {
    /// The plan.
    pub(crate) plan: ArtifactPlan,
    _recorded: Option<TempDir>,
}

/// Records tests if asked to, outlines the artifact, and says what was found.
pub(crate) async fn outline(
    path: PathBuf,
    options: ContentOptions,
    context: &Context,
    output: &mut Output,
) -> Result<Content, Failure> {
    let mut plan_options = plan_options(&options, context)?;
    plan_options.signer = signer(&options.signature, context, output).await?;
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
    let outline = blocking(move || Outline::new(&path, &plan_options)).await;
    let outline = outline.map_err(modelctl::Error::from)?;
    note(&outline, output)?;
    Ok(Content {
        outline,
        _recorded: recorded,
    })
}

impl Content {
    /// Hashes everything.
    pub(crate) async fn plan(self, style: Style) -> Result<Planned, Failure> {
        let outline = self.outline;
        let (hashed, size) = (outline.hashed(), outline.original_size());
        let plan = blocking(move || outline.plan());
        let plan = show_hashing(hashed, size, style, plan).await;
        Ok(Planned {
            plan: plan.map_err(modelctl::Error::from)?,
            _recorded: self._recorded,
        })
    }

    /// Hashes and stores it in one flow, and names it last. A name with a digest is compared with
    /// that of the artifact before anything is sent. Where nothing has to be hashed, the registry is
    /// asked for the manifest first: if it has it, it has all.
    pub(crate) async fn send(
        self,
        destination: &Spot,
        options: &PackOptions,
        style: Style,
    ) -> Result<PackedReport, Failure> {
        if destination.is_pinned() || self.outline.is_remembered() {
            return store(&self.plan(style).await?.plan, destination, options, style).await;
        }
        let sink = watch(destination.depot(), self.outline.stored_size(), style);
        let (plan, sent) = pack::send(self.outline, &sink, options).await?;
        drop(sink);
        destination.tag(&plan.manifest.descriptor()).await?;
        Ok(PackedReport::new(destination, &plan, &sent))
    }
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
    Ok(PackedReport::new(destination, plan, &stored))
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
        created: context.source_date()?,
        tests: test_sets(&options.tests)?,
        cache: match options.no_cache {
            true => None,
            false => context.digest_cache(),
        },
        signer: None,
    })
}

/// Who signs the artifact, if somebody is to.
async fn signer(
    options: &SignatureOptions,
    context: &Context,
    output: &mut Output,
) -> Result<Option<LayerSigner>, Failure> {
    let Some(path) = &options.sign_key else {
        return Ok(None);
    };
    let key = context.private_key(path, &options.passphrase, output);
    let signer = Signer::new(key.await?);
    Ok(Some(LayerSigner::new(move |model, manifest| {
        Ok(signer.sign_layer(model, manifest)?)
    })))
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

fn note(outline: &Outline, output: &mut Output) -> Result<(), Failure> {
    let files = count(outline.files(), "file");
    let layers = count(outline.layers(), "layer");
    output.note(format_args!(
        "{files} ({}) in {layers} ({})",
        Size(outline.original_size()),
        Size(outline.stored_size())
    ))?;
    let left_out = outline.left_out();
    if !left_out.is_empty() {
        let shown = left_out.iter().take(NAMES).map(String::as_str);
        let names = shown.collect::<Vec<_>>().join(", ");
        let more = if left_out.len() > NAMES { ", …" } else { "" };
        output.note(format_args!("left out {}: {names}{more}", left_out.len()))?;
    }
    Ok(())
}
