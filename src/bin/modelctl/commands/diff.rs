//! `diff`: what changed from one model to another, and whether it can take its place.

use std::path::PathBuf;

use clap::Args;
use modelctl::diff::{self, Side};
use modelctl::materialise::fetch_manifest;
use modelctl::model::ModelManifest;
use modelctl::oci::{Document, Place, media_type};
use modelctl::verify;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::places::Spot;
use crate::reports::{Compared, DiffReport, Form};

const HELP: &str = "\
The interface comes first: B is a drop-in for A if whoever calls A can call B. Then operators,
tensors, files, licences and other notes, smoke tests, and how much an upgrade moves. Only manifests
are read: kilobytes, also of remote models. Artifacts of other tools are compared by their layers;
their interfaces are unknown. The rules, and the JSON: docs/diff.md.

Examples:
  modelctl diff registry.example/demo/mlp:v1 registry.example/demo/mlp:v2
  modelctl diff ./mlp registry.example/demo/mlp:v2 --exit-code
  modelctl diff store:demo/mlp:v1 oci:./layout:v2 --markdown >comment.md
  modelctl diff ./old ./new --json | jq .dropIn";

/// Show what changed between two models, their interfaces first
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct DiffArgs {
    /// The earlier model
    #[arg(value_name = "A")]
    a: Place,
    /// The later model
    #[arg(value_name = "B")]
    b: Place,
    /// Exit with 8 if anything differs
    #[arg(long)]
    exit_code: bool,
    /// Write Markdown, as for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Compares the manifests of both, and reports.
pub(crate) async fn run(
    args: DiffArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let found = (
        Found::at(&args.a, &args.registry, context).await?,
        Found::at(&args.b, &args.registry, context).await?,
    );
    let same =
        matches!(&found, (Found::Artifact(a), Found::Artifact(b)) if a.1.digest() == b.1.digest());
    let (a, b) = match same {
        // There is nothing to compare.
        true => (found.0.unread(), found.1.unread()),
        false => (found.0.read().await?, found.1.read().await?),
    };
    let report = DiffReport {
        a: a.named(&args.a),
        b: b.named(&args.b),
        difference: diff::between(&a.side()?, &b.side()?),
        form: match args.markdown {
            true => Form::Markdown,
            false => Form::Text,
        },
    };
    output.report(&report)?;
    match args.exit_code && report.difference.differs {
        true => Err(Failure::Differs),
        false => Ok(()),
    }
}

/// One of the two, before its model manifest is read.
enum Found {
    Folder(PathBuf),
    Artifact(Box<(Spot, Document)>),
}

/// One of the two.
struct Model {
    /// Absent where a folder is compared.
    document: Option<Document>,
    /// Absent in artifacts of other tools.
    model: Option<ModelManifest>,
}

impl Found {
    async fn at(
        place: &Place,
        registry: &RegistryOptions,
        context: &Context,
    ) -> Result<Self, Failure> {
        if let Place::Path(path) = place {
            return Ok(Self::Folder(path.clone()));
        }
        let spot = context.open(place, registry).await?;
        let document = spot.resolve().await?;
        Ok(Self::Artifact(Box::new((spot, document))))
    }

    fn unread(self) -> Model {
        let document = match self {
            Self::Folder(_) => None,
            Self::Artifact(found) => Some(found.1),
        };
        Model {
            document,
            model: None,
        }
    }

    async fn read(self) -> Result<Model, Failure> {
        let (spot, document) = match self {
            Self::Folder(path) => {
                let model = blocking(move || verify::read_manifest(&path)).await?;
                return Ok(Model {
                    document: None,
                    model: Some(model),
                });
            }
            Self::Artifact(found) => *found,
        };
        let manifest = document.manifest()?;
        let own = manifest.layers_of(media_type::LAYER_MANIFEST).next();
        // An artifact that says it is a model of ours has one, or is refused for that.
        let is_ours = manifest.artifact_type() == media_type::MODEL || own.is_some();
        let model = match is_ours {
            true => Some(fetch_manifest(&spot.depot(), &document).await?),
            false => None,
        };
        Ok(Model {
            document: Some(document),
            model,
        })
    }
}

impl Model {
    fn side(&self) -> Result<Side<'_>, Failure> {
        Ok(match (&self.document, &self.model) {
            (Some(document), model) => Side::artifact(document, model.as_ref())?,
            (None, Some(model)) => Side::folder(model),
            (None, None) => Side::default(),
        })
    }

    fn named(&self, place: &Place) -> Compared {
        Compared {
            name: place.to_string(),
            digest: self.document.as_ref().map(Document::digest),
        }
    }
}
