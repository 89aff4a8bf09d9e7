//! `run`: an artifact's own smoke tests, or one run with given inputs, through ONNX Runtime.

mod attest;

use std::path::PathBuf;
use std::process::Stdio;
use std::str::FromStr;

use clap::Args;
use modelctl::materialise::{self, PullOptions};
use modelctl::model::FilePath;
use modelctl::oci::{Document, Place};
use modelctl::store::Scratch;
use modelctl::transfer;

use self::attest::Attestation;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{InputArgs, RegistryOptions, tolerance};
use crate::output::Output;
use crate::places::Spot;
use crate::progress::{size_of, watch};
use crate::seeding::{SeedFolders, seed};
use crate::worker::{self, Infer, RuntimeOptions, Smoke, Task};

const HELP: &str = "\
Everything is verified before it is run, in a process of its own. Without --input the smoke tests of \
the artifact are run and compared; where it has none, made inputs show that it runs. Exit 5 if an \
output differs. A reference is resolved at the registry and kept in the store; with --offline it is \
resolved in the store.

With --attest what was found is signed and put beside the artifact, for exactly the digest that was \
run: an in-toto test result that `verify`, `gate` and cosign read. It is of the artifact's own tests \
with their own tolerances. A model without tests is attested as WARNED. A test that fails is not \
attested, unless --attest-failures asks for the record.

Examples:
  modelctl run registry.example/demo/mlp:v1
  modelctl run ./mlp
  modelctl run ./mlp --input x=@x.npy
  modelctl run ./mlp --graph encoder.onnx --input ids=@ids.json -o ./outputs
  modelctl run store:demo/mlp:v1 --shape x=1,3,64,64 --seed 7
  modelctl run registry.example/demo/mlp:v1 --attest --key release.key";

/// Run the smoke tests of an artifact or a pulled folder, or run it once on given inputs
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct RunArgs {
    /// The artifact or folder
    #[arg(value_name = "ARTIFACT|DIR")]
    place: Place,
    /// The graph to run, where there are several
    #[arg(long, value_name = "PATH")]
    graph: Option<FilePath>,
    /// A file for an input, .npy, .json or .pb: run once and print the outputs
    #[arg(long, value_name = "NAME=@FILE")]
    input: Vec<InputFile>,
    /// Write the outputs into this folder, output_N.npy
    #[arg(long, short, value_name = "DIR", requires = "input")]
    output: Option<PathBuf>,
    /// Relative tolerance, instead of that of the test
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    rtol: Option<f64>,
    /// Absolute tolerance, instead of that of the test
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    atol: Option<f64>,
    /// Ask no registry: the store has to have the artifact
    #[arg(long)]
    offline: bool,
    /// Threads within an operator; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    #[command(flatten)]
    attest: attest::AttestOptions,
    #[command(flatten)]
    inputs: InputArgs,
    #[command(flatten)]
    runtime: RuntimeOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// `NAME=@FILE`.
#[derive(Debug, Clone)]
struct InputFile {
    name: String,
    file: PathBuf,
}

impl FromStr for InputFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.split_once("=@") {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok(Self {
                name: name.to_owned(),
                file: file.into(),
            }),
            _ => Err("expected NAME=@FILE"),
        }
    }
}

/// Brings the files here if they are not, then lets a worker verify and run them.
pub(crate) async fn run(
    args: RunArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = args.place.to_string();
    let attestation = args.attest.prepare(&args.place, context, output).await?;
    // Kept until the worker is done.
    let _fetched: Option<Scratch>;
    let mut tested = None;
    let folder = match &args.place {
        Place::Path(folder) => folder.clone(),
        place => {
            let artifact = artifact(place, &args, context, output).await?;
            let fetched = fetch(&artifact, context).await?;
            let folder = fetched.path().join("model");
            _fetched = Some(fetched);
            tested = Some(artifact);
            folder
        }
    };
    let task = match args.input.is_empty() {
        true => Task::Smoke(Smoke {
            name,
            folder,
            graph: args.graph,
            rtol: args.rtol,
            atol: args.atol,
            inputs: args.inputs,
            threads: args.threads,
            record: attestation.as_ref().map(Attestation::record),
        }),
        false => Task::Infer(Infer {
            name,
            folder,
            graph: args.graph,
            inputs: args
                .input
                .into_iter()
                .map(|input| (input.name, input.file))
                .collect(),
            output: args.output,
            threads: args.threads,
        }),
    };
    let (Some(attestation), Some(artifact)) = (attestation, tested) else {
        let streams = (output.style(), Stdio::inherit());
        return worker::delegate(task, &args.runtime, context, streams).await;
    };
    let streams = (output.style(), attestation.stdout()?);
    let ran = worker::delegate(task, &args.runtime, context, streams).await;
    let tested = (&artifact.origin, &artifact.document);
    attestation.finish(ran, tested, output).await
}

/// An artifact that is to be run.
struct Artifact {
    /// Where the user said that it is.
    origin: Spot,
    /// Where it is read from: the store, once a reference was resolved.
    near: Spot,
    /// What the name led to. That is what is run, whatever the name leads to by then.
    document: Document,
}

impl Artifact {
    async fn at(spot: Spot) -> Result<Self, Failure> {
        let document = spot.resolve().await?;
        Ok(Self {
            origin: spot.clone(),
            near: spot,
            document,
        })
    }
}

/// Finds the artifact, and brings it into the store if it is in a registry.
async fn artifact(
    place: &Place,
    args: &RunArgs,
    context: &Context,
    output: &mut Output,
) -> Result<Artifact, Failure> {
    let reference = match place {
        Place::Registry(reference) if args.offline => {
            return Artifact::at(context.entry(reference.clone())?).await;
        }
        Place::Registry(reference) => reference,
        place => return Artifact::at(context.open(place, &args.registry).await?).await,
    };
    let entry = context.entry(reference.clone())?;
    let source = context.repository(reference.clone(), &args.registry)?;
    let document = source.resolve().await?;
    let _hold = entry.hold()?;
    let options = context.copy_options(None);
    let seeding = seed(&source, &document, SeedFolders::default(), context, output).await?;
    let watched = watch(seeding.source, size_of(&document), output.style());
    transfer::copy(&watched, &entry.depot(), &document, &options).await?;
    entry.tag(&document.descriptor()).await?;
    Ok(Artifact {
        origin: source,
        near: entry,
        document,
    })
}

/// Writes the files into a temporary folder beside the blobs of the store.
async fn fetch(artifact: &Artifact, context: &Context) -> Result<Scratch, Failure> {
    let folder = context.scratch()?;
    let (source, target) = (artifact.near.depot(), folder.path().join("model"));
    let options = PullOptions::default();
    materialise::pull(&source, &artifact.document, &target, &options).await?;
    Ok(folder)
}
