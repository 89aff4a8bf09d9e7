//! `diff`: what changed from one model to another, and whether it can take its place.

use std::path::PathBuf;

use clap::Args;
use modelctl::Error;
use modelctl::diff::{self, Side, Signer};
use modelctl::materialise::fetch_manifest;
use modelctl::model::ModelManifest;
use modelctl::oci::{Document, Place, media_type};
use modelctl::trust::TrustError;
use modelctl::trust::check::{self, Distrust, SignerId, Signers};
use modelctl::verify;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::places::Spot;
use crate::reports::{Compared, DiffReport, Form};
use crate::signatures::{self, distrusted};

const HELP: &str = "\
The interface comes first: B is a drop-in for A if whoever calls A can call B. Then operators, \
tensors, files, licences and other notes, smoke tests, and how much an upgrade moves. Only manifests \
are read: kilobytes, also of remote models. Artifacts of other tools are compared by their layers; \
their interfaces are unknown. With --key, who of these has signed each is compared, too. The rules, and \
the JSON: docs/diff.md.

Examples:
  modelctl diff registry.example/demo/mlp:v1 registry.example/demo/mlp:v2
  modelctl diff ./mlp registry.example/demo/mlp:v2 --exit-code
  modelctl diff store:demo/mlp:v1 oci:./layout:v2 --markdown >comment.md
  modelctl diff registry.example/demo/mlp:v1 registry.example/demo/mlp:v2 --key release.pub
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
    /// Public key of somebody who may have signed: say who has signed which of the two artifacts; may be
    /// given several times
    #[arg(long, value_name = "KEY")]
    key: Vec<PathBuf>,
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
    let signers = signers(&args, context)?;
    let found = (
        Found::at(&args.a, &args.registry, context).await?,
        Found::at(&args.b, &args.registry, context).await?,
    );
    let same =
        matches!(&found, (Found::Artifact(a), Found::Artifact(b)) if a.1.digest() == b.1.digest());
    let (a, b) = match same {
        // There is nothing to compare.
        true => (found.0.unread(), found.1.unread()),
        false => {
            let signers = signers.as_ref();
            (found.0.read(signers).await?, found.1.read(signers).await?)
        }
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

/// Whose signatures are looked for. A folder has none over a manifest.
fn signers(args: &DiffArgs, context: &Context) -> Result<Option<Signers>, Failure> {
    if args.key.is_empty() {
        return Ok(None);
    }
    if let Some(place) = [&args.a, &args.b]
        .into_iter()
        .find(|place| matches!(place, Place::Path(_)))
    {
        return Err(Failure::WrongPlace {
            place: place.clone(),
            expected: "two artifacts where `--key` is given; `verify DIR --key` checks a folder",
        });
    }
    let keys = args.key.iter().map(|key| context.public_key(key));
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let signers = Signers::any(keys.into_iter().map(check::Signer::Key));
    let signers = signers.map_err(TrustError::from).map_err(Error::from);
    Ok(Some(signers?))
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
    /// Absent where nobody has asked.
    signers: Option<Vec<Signer>>,
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
            signers: None,
        }
    }

    async fn read(self, signers: Option<&Signers>) -> Result<Model, Failure> {
        let (spot, document) = match self {
            Self::Folder(path) => {
                let model = blocking(move || verify::read_manifest(&path)).await?;
                return Ok(Model {
                    document: None,
                    model: Some(model),
                    signers: None,
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
        let signers = match signers {
            Some(signers) => Some(signed_by(&spot, &document, signers).await?),
            None => None,
        };
        Ok(Model {
            document: Some(document),
            model,
            signers,
        })
    }
}

/// Who of the signers has signed an artifact.
async fn signed_by(
    spot: &Spot,
    document: &Document,
    signers: &Signers,
) -> Result<Vec<Signer>, Failure> {
    let report = signatures::check(spot, document, signers).await?;
    // That nobody has signed is an answer; that it could not be found out is none.
    if let Err(unchecked @ Distrust::Unchecked { .. }) = report.verdict(signers) {
        return Err(distrusted(unchecked));
    }
    let signed = report.signed_by(signers).into_iter();
    let ids = signed.filter_map(|signer| match signer {
        SignerId::Key(id) => Some(Signer::Key { id: id.to_string() }),
        _ => None,
    });
    Ok(ids.collect())
}

impl Model {
    fn side(&self) -> Result<Side<'_>, Failure> {
        let side = match (&self.document, &self.model) {
            (Some(document), model) => Side::artifact(document, model.as_ref())?,
            (None, Some(model)) => Side::folder(model),
            (None, None) => Side::default(),
        };
        Ok(match &self.signers {
            Some(signers) => side.with_signers(signers.clone()),
            None => side,
        })
    }

    fn named(&self, place: &Place) -> Compared {
        Compared {
            name: place.to_string(),
            digest: self.document.as_ref().map(Document::digest),
        }
    }
}
