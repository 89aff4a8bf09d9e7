//! `cp`: copies an artifact between registries, the store, layouts and archives.

use std::path::Path;

use clap::Args;
use modelctl::oci::{Digest, Document, Place, Reference, Tag};
use modelctl::store::{Archive, Graph, WithProgress};
use modelctl::transfer::{self, CopyOptions, CopyReport};

use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::places::{Depot, Spot, all_beside, copy_beside};
use crate::progress::{size_of, watch};
use crate::reports::TransferReport;

const EXAMPLES: &str = "\
Examples:
  modelctl cp registry.example/demo/mlp:v1 other.example/demo/mlp:v1
  modelctl cp store:demo/mlp:v1 oci:./layout:v1
  modelctl cp registry.example/demo/mlp@sha256:… oci-archive:mlp.tar:v1
  modelctl cp oci-archive:mlp.tar:v1 registry.example/demo/mlp:v1";

/// Copy an artifact, and what refers to it, between registries, store, layouts and archives
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CpArgs {
    /// What to copy
    #[arg(value_name = "SOURCE")]
    source: Place,
    /// Where to, and under which name
    #[arg(value_name = "DESTINATION")]
    destination: Place,
    /// Leave signatures and other referrers behind
    #[arg(long)]
    no_referrers: bool,
    /// Blobs in flight at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    #[command(flatten)]
    registry: RegistryOptions,
}

impl CpArgs {
    /// An archive is written whole or not at all; everything else keeps what has come.
    pub(crate) fn is_resumed(&self) -> bool {
        !matches!(self.destination, Place::Archive { .. })
    }
}

/// Resolves the source once, copies by digest, and names the copy last.
pub(crate) async fn run(
    args: CpArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    check_credentials(&args, context)?;
    let source = context.open(&args.source, &args.registry).await?;
    let document = source.resolve().await?;
    let copied = match &args.destination {
        Place::Archive { path, tag } => {
            let tag = tag.as_ref().map(Tag::as_str);
            write_archive(path, tag, (&source, &document), !args.no_referrers).await?
        }
        place => {
            let destination = context.create(place, &args.registry).await?;
            let spot = &destination.spot;
            let options = CopyOptions {
                referrers: !args.no_referrers,
                mount_from: source.beside(spot).into_iter().collect(),
                ..context.copy_options(args.jobs)
            };
            let sink = watch(spot.depot(), size_of(&document), output.style());
            let copied = copy(&source, (spot, sink), &document, &options).await;
            destination.settle(copied).await?
        }
    };
    let name = args.destination.to_string();
    let report = TransferReport::new(name, document.digest(), &copied);
    output.note(report.note("copied"))?;
    Ok(output.report(&report)?)
}

/// Refuses credentials of the command line or the environment where it cannot be said which of two
/// registries they are for: neither may see those of the other.
fn check_credentials(args: &CpArgs, context: &Context) -> Result<(), Failure> {
    let (Place::Registry(source), Place::Registry(destination)) = (&args.source, &args.destination)
    else {
        return Ok(());
    };
    let option = match &args.registry {
        options if options.username.is_some() => "--username",
        options if options.client_cert.is_some() => "--client-cert",
        _ => return Ok(()),
    };
    let registry = |reference: &Reference| -> Result<Option<String>, Failure> {
        let reference = context.with_registry(reference.clone(), &args.registry)?;
        Ok(reference.registry().map(str::to_owned))
    };
    match [registry(source)?, registry(destination)?] {
        [Some(source), Some(destination)] if source != destination => Err(Failure::Option {
            option,
            reason: format!(
                "it is for one registry, and `{source}` and `{destination}` take part; `modelctl \
                 login` keeps credentials for each"
            ),
        }),
        _ => Ok(()),
    }
}

async fn copy(
    source: &Spot,
    (destination, sink): (&Spot, WithProgress<Depot>),
    document: &Document,
    options: &CopyOptions,
) -> Result<CopyReport, Failure> {
    destination.may_be(document)?;
    let _hold = destination.hold()?;
    let mut copied = transfer::copy(&source.depot(), &sink, document, options).await?;
    if options.referrers {
        copy_beside((source, destination), document, options, &mut copied).await?;
    }
    destination.tag(&document.descriptor()).await?;
    Ok(copied)
}

/// Writes a new archive, whole or not at all.
async fn write_archive(
    path: &Path,
    tag: Option<&str>,
    (source, document): (&Spot, &Document),
    referrers: bool,
) -> Result<CopyReport, Failure> {
    let depot = source.depot();
    let mut names: Vec<(Digest, String)> = Vec::new();
    names.extend(tag.map(|tag| (document.digest(), tag.to_owned())));
    let mut graph = match referrers {
        true => Graph::walk_with_referrers(&depot, document).await?,
        false => Graph::walk(&depot, document).await?,
    };
    let beside = match referrers {
        true => all_beside(source, document).await?,
        false => Vec::new(),
    };
    for (tag, document) in beside {
        graph.precede(Graph::walk(&depot, &document).await?);
        names.push((document.digest(), tag.to_string()));
    }
    Archive::write(path, &depot, &graph, &names).await?;
    let documents = graph.documents.iter().map(|node| &node.descriptor);
    let blobs = graph.blobs.iter().chain(documents);
    Ok(CopyReport {
        copied: graph.blobs.len() + graph.documents.len(),
        bytes: blobs.map(|blob| blob.size).sum(),
        ..CopyReport::default()
    })
}
