//! `pull`: a registry (or any place) → files, or an entry of the local store.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use modelctl::materialise::{self, PullOptions};
use modelctl::model;
use modelctl::model::source::Globs;
use modelctl::oci::{Digest, Document, Place};
use modelctl::transfer;
use modelctl::trust::check::{Form, Signers};
use serde::Serialize;

use crate::context::{Context, jobs_of};
use crate::failure::Failure;
use crate::gating::Admission;
use crate::options::{AdmissionOptions, RegistryOptions, SignerOptions};
use crate::output::Output;
use crate::places::Spot;
use crate::progress::{size_of, watch};
use crate::reports::TransferReport;
use crate::seeding::{SavedReport, SeedFolders, seed};
use crate::signatures;
use crate::text::{Size, count};

const HELP: &str = "\
Prints the digest. The folder appears when everything in it is verified and on disk, or not at all. \
An earlier pull in its place is replaced; any other folder only with --force. What the local store, \
the folder to be replaced or a --seed has already is not fetched again. A pull that was interrupted \
is gone on with by the same command. With --key nothing is fetched before a signature is verified.

Examples:
  modelctl pull registry.example/demo/mlp:v1 -o ./mlp
  modelctl pull registry.example/demo/mlp@sha256:… -o ./mlp --only '*.onnx'
  modelctl pull registry.example/demo/mlp:v1 -o ./mlp --key release.pub
  modelctl pull registry.example/demo/mlp:v2 -o ./mlp-v2 --seed ./mlp
  modelctl pull registry.example/demo/mlp:v1
  modelctl pull registry.example/prod/mlp:v1 -o ./mlp --policy modelctl-policy.toml --locked
  modelctl pull store:registry.example/demo/mlp:v1 -o ./mlp --layout split";

/// Fetch an artifact: into files with -o, else into the local store
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct PullArgs {
    /// The artifact; a digest pins it
    #[arg(value_name = "ARTIFACT")]
    place: Place,
    /// Folder for the files
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Keep the artifact in the local store as well
    #[arg(long, requires = "output")]
    keep: bool,
    /// Write only files that match, in the syntax of .gitignore; may be given several times
    #[arg(long, value_name = "GLOB", requires = "output")]
    only: Vec<String>,
    /// The files as they were packed, or graphs with their weights beside them
    #[arg(
        long,
        value_name = "LAYOUT",
        requires = "output",
        default_value = "original",
        hide_default_value = true
    )]
    layout: Layout,
    /// Write the model's own files only, without .modelctl
    #[arg(long, requires = "output")]
    bare: bool,
    /// Replace a folder that no pull wrote
    #[arg(long, requires = "output")]
    force: bool,
    /// Take what has not changed from this folder, an earlier version that was pulled; may be given
    /// several times
    #[arg(long, value_name = "DIR")]
    seed: Vec<PathBuf>,
    /// Blobs in flight at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    #[command(flatten)]
    signers: SignerOptions,
    #[command(flatten)]
    admission: AdmissionOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Which files are written.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Layout {
    /// The files as they were packed
    Original,
    /// The layers: valid ONNX graphs, and their weights as external data
    Split,
}

/// The files that were written; as text the digest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PulledReport {
    name: String,
    digest: Digest,
    output: PathBuf,
    files: usize,
    size: u64,
    #[serde(flatten)]
    saved: SavedReport,
    /// Bytes of blobs that an interrupted pull had left.
    resumed: u64,
    /// Whether everything was there, and nothing was to be done.
    in_place: bool,
}

impl PulledReport {
    /// The same in a sentence, for people.
    fn note(&self) -> String {
        let (files, size) = (count(self.files, "file"), Size(self.size));
        let output = self.output.display();
        if self.in_place {
            return format!("nothing to do: {files} ({size}) are in {output} already");
        }
        let resumed = match self.resumed {
            0 => String::new(),
            resumed => format!("; {} were there from an interrupted pull", Size(resumed)),
        };
        format!(
            "pulled {files} ({size}) into {output}{}{resumed}",
            self.saved.note()
        )
    }
}

impl fmt::Display for PulledReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)
    }
}

/// Resolves the reference once and fetches by digest.
pub(crate) async fn run(
    args: PullArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let signers = signers(&args, context)?;
    let admission = Admission::new(&args.admission, &args.place, context, &args.registry).await?;
    let args = PullArgs {
        place: admission.place().clone(),
        ..args
    };
    let source = context.open(&args.place, &args.registry).await?;
    let document = source.resolve().await?;
    if let Some(signers) = signers {
        signatures::require(&source, &document, &signers, output).await?;
    }
    let as_layers = matches!(args.layout, Layout::Split);
    admission
        .admit(&source, &document, as_layers, output)
        .await?;
    let Some(folder) = args.output.clone() else {
        let (report, _) = keep(&args, (&source, &document), context, output).await?;
        output.note(report.note("pulled"))?;
        return Ok(output.report(&report)?);
    };
    let (source, kept) = match args.keep {
        true => {
            let (report, entry) = keep(&args, (&source, &document), context, output).await?;
            (entry, report.saved)
        }
        false => (source, None),
    };
    let options = pull_options(&args)?;
    let seeding = seed(&source, &document, seed_folders(&args), context, output).await?;
    let pulled = {
        let watched = watch(seeding.source.clone(), size_of(&document), output.style());
        materialise::pull(&watched, &document, &folder, &options).await?
    };
    let report = PulledReport {
        name: args.place.to_string(),
        digest: document.digest(),
        output: folder,
        files: pulled.files,
        size: pulled.size,
        saved: kept.unwrap_or_else(|| seeding.saved()),
        resumed: pulled.resumed,
        in_place: pulled.in_place,
    };
    output.note(report.note())?;
    Ok(output.report(&report)?)
}

/// Copies the artifact into the store, under the name that it was asked for by.
async fn keep(
    args: &PullArgs,
    (source, document): (&Spot, &Document),
    context: &Context,
    output: &mut Output,
) -> Result<(TransferReport, Spot), Failure> {
    let Place::Registry(reference) = &args.place else {
        return Err(Failure::WrongPlace {
            place: args.place.clone(),
            expected: "a reference of a registry, or a folder with `-o`",
        });
    };
    let entry = context.entry(reference.clone())?;
    let _hold = entry.hold()?;
    let options = context.copy_options(args.jobs);
    let seeding = seed(source, document, seed_folders(args), context, output).await?;
    let watched = watch(seeding.source.clone(), size_of(document), output.style());
    let copied = transfer::copy(&watched, &entry.depot(), document, &options).await?;
    entry.tag(&document.descriptor()).await?;
    let report = TransferReport::new(entry.to_string(), document.digest(), &copied);
    Ok((report.with_saved(seeding.saved()), entry))
}

/// An earlier version is most likely where the new one will be.
fn seed_folders(args: &PullArgs) -> SeedFolders {
    SeedFolders {
        replaced: args.output.clone(),
        named: args.seed.clone(),
    }
}

/// A signature over the files says nothing of graphs without weights: they are layers, not files.
fn signers(args: &PullArgs, context: &Context) -> Result<Option<Signers>, Failure> {
    let signers = args.signers.signers(context)?;
    Ok(signers.map(|signers| match args.layout {
        Layout::Original => signers,
        Layout::Split => signers.in_forms([Form::Cosign, Form::CosignLegacy]),
    }))
}

fn pull_options(args: &PullArgs) -> Result<PullOptions, Failure> {
    let only = (!args.only.is_empty()).then(|| Globs::new(&args.only));
    let only = only.transpose().map_err(|error| Failure::Option {
        option: "--only",
        reason: error.to_string(),
    })?;
    Ok(PullOptions {
        only,
        form: match args.layout {
            Layout::Original => model::Form::Original,
            Layout::Split => model::Form::Split,
        },
        bare: args.bare,
        force: args.force,
        jobs: jobs_of(args.jobs),
    })
}
