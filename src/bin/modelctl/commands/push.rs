//! `push`: an entry of the store, or files straight away, → a registry.

use std::path::PathBuf;

use clap::Args;
use modelctl::oci::{Place, Reference};
use modelctl::pack::PackOptions;
use modelctl::transfer::{self, CopyOptions};

use crate::content;
use crate::context::{Context, jobs_of};
use crate::failure::Failure;
use crate::options::{ContentOptions, RegistryOptions};
use crate::output::{Output, Style};
use crate::places::{Spot, copy_beside};
use crate::progress::{size_of, watch};
use crate::reports::TransferReport;

const HELP: &str = "\
Prints the digest. With one argument the entry of the store with that name is sent; with two the \
files are packed and sent in one go, without a second copy on disk. A missing tag is `latest`. What \
the registry has already is not sent again.

Examples:
  modelctl push registry.example/demo/mlp:v1
  modelctl push ./model registry.example/demo/mlp:v1 --name mlp --license Apache-2.0
  modelctl push model.onnx registry.example/demo/mlp:v1 --record 1
  modelctl push ./model registry.example/demo/mlp-int8:v1 --mount-from demo/mlp";

/// Send an artifact to a registry, from the local store or straight from files
#[derive(Args)]
#[command(
    after_help = HELP,
    override_usage = "modelctl push [OPTIONS] <REFERENCE>\n       modelctl push [OPTIONS] <PATH> <REFERENCE>"
)]
pub(crate) struct PushArgs {
    /// The reference, or the file or folder to pack
    #[arg(value_name = "PATH|REFERENCE")]
    first: String,
    /// The reference, where files are packed
    #[arg(value_name = "REFERENCE")]
    second: Option<Reference>,
    /// Blobs in flight at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    /// Repository of the same registry that may have some of the blobs, which are then mounted
    /// instead of sent; may be given several times
    #[arg(long, value_name = "REPOSITORY")]
    mount_from: Vec<Reference>,
    /// Leave signatures and other referrers of the store behind
    #[arg(long)]
    no_referrers: bool,
    #[command(flatten)]
    content: ContentOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Sends what was asked for; the tag comes last.
pub(crate) async fn run(
    args: PushArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    if let Some(reference) = args.second {
        let destination = context.repository(reference.or_latest(), &args.registry)?;
        let options = PackOptions {
            jobs: jobs_of(args.jobs),
            mount_from: destination.mounts(&args.mount_from)?,
        };
        let path = PathBuf::from(args.first);
        let content = content::outline(path, args.content, context, output).await?;
        let report = content.send(&destination, &options, output.style()).await?;
        output.note(report.note("pushed"))?;
        return Ok(output.report(&report)?);
    }
    let reference = args.first.parse::<Place>()?;
    let Place::Registry(reference) = reference else {
        return Err(Failure::WrongPlace {
            place: reference,
            expected: "a reference, as in `registry.example/mlp:v1`, or a path and a reference",
        });
    };
    let reference = reference.or_latest();
    let source = context.entry(reference.clone())?;
    let destination = context.repository(reference, &args.registry)?;
    let options = CopyOptions {
        mount_from: destination.mounts(&args.mount_from)?,
        referrers: !args.no_referrers,
        ..context.copy_options(args.jobs)
    };
    let report = send(&source, &destination, &options, output.style()).await?;
    output.note(report.note("pushed"))?;
    Ok(output.report(&report)?)
}

async fn send(
    source: &Spot,
    destination: &Spot,
    options: &CopyOptions,
    style: Style,
) -> Result<TransferReport, Failure> {
    let document = source.resolve().await?;
    let sink = watch(destination.depot(), size_of(&document), style);
    let mut copied = transfer::copy(&source.depot(), &sink, &document, options).await?;
    drop(sink);
    if options.referrers {
        copy_beside((source, destination), &document, options, &mut copied).await?;
    }
    destination.tag(&document.descriptor()).await?;
    Ok(TransferReport::new(
        destination.to_string(),
        document.digest(),
        &copied,
    ))
}
