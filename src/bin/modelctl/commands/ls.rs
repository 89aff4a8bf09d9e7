//! `ls`: entries of a layout or an archive, tags of a repository.

use std::fmt;

use clap::Args;
use modelctl::oci::{Digest, Place, Reference};
use modelctl::store::{Archive, Entry, Layout, fetch_document};
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;
use crate::output::Output;
use crate::places::{Depot, is_bare};
use crate::reports::Inspected;
use crate::text::{Size, Table};

const EXAMPLES: &str = "\
Examples:
  modelctl ls
  modelctl ls registry.example/demo/mlp
  modelctl ls oci:./layout
  modelctl ls oci-archive:mlp.tar";

/// List the entries of the local store, a layout or an archive, or the tags of a repository
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LsArgs {
    /// A repository without a tag, `oci:DIR` or `oci-archive:FILE`
    #[arg(value_name = "REPOSITORY")]
    place: Option<Place>,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// The entries of a layout or an archive.
#[derive(Serialize)]
struct EntriesReport {
    entries: Vec<EntryReport>,
}

/// An entry: absent sizes are of manifests that are broken or gone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryReport {
    name: Option<String>,
    digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
}

impl fmt::Display for EntriesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return Ok(());
        }
        let mut table = Table::with_head(["NAME", "SIZE", "DIGEST"]);
        for entry in &self.entries {
            let size = entry.size.map(|size| Size(size).to_string());
            table.row([
                entry.name.clone().unwrap_or_else(|| "-".to_owned()),
                size.unwrap_or_else(|| "broken".to_owned()),
                entry.digest.to_string(),
            ]);
        }
        table.fmt(f)
    }
}

/// The tags of a repository; as text one a line.
#[derive(Serialize)]
struct TagsReport {
    repository: String,
    tags: Vec<String>,
}

impl fmt::Display for TagsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tags.iter().try_for_each(|tag| writeln!(f, "{tag}"))
    }
}

/// Lists what the place holds.
pub(crate) async fn run(
    args: LsArgs,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let (depot, entries) = match args.place {
        None => layout(context.store()?).await?,
        Some(Place::Layout { path, tag: None }) => layout(Layout::open(&path)?).await?,
        Some(Place::Archive { path, tag: None }) => {
            let archive = blocking(move || Archive::open(&path)).await?;
            let entries = archive.entries();
            (Depot::Archive(archive), entries)
        }
        Some(Place::Registry(reference)) if is_bare(&reference) => {
            return tags(reference, &args.registry, context, output).await;
        }
        Some(place) => {
            let expected = "a repository without a tag, as in `registry.example/mlp`, `oci:DIR` or `oci-archive:FILE`";
            return Err(Failure::WrongPlace { place, expected });
        }
    };
    Ok(output.report(&describe(&depot, entries).await)?)
}

async fn tags(
    reference: Reference,
    options: &RegistryOptions,
    context: &Context,
    output: &mut Output,
) -> Result<(), Failure> {
    let reference = context.with_registry(reference, options)?;
    let client = context.client(options, reference.registry())?;
    let tags = client.repository(&reference)?.tags().await?;
    Ok(output.report(&TagsReport {
        repository: reference.name(),
        tags: tags.iter().map(ToString::to_string).collect(),
    })?)
}

async fn layout(layout: Layout) -> Result<(Depot, Vec<Entry>), Failure> {
    let depot = Depot::Layout(layout.clone());
    let entries = blocking(move || layout.entries()).await?;
    Ok((depot, entries))
}

async fn describe(depot: &Depot, listed: Vec<Entry>) -> EntriesReport {
    let mut entries = Vec::new();
    for Entry { name, manifest } in listed {
        let document = fetch_document(depot, &manifest).await;
        let inspected = document.ok().map(|document| Inspected::from(&document));
        entries.push(EntryReport {
            name,
            digest: manifest.digest,
            size: inspected.as_ref().map(|inspected| inspected.size),
            artifact_type: inspected.and_then(|inspected| inspected.artifact_type),
        });
    }
    entries.sort_by(|a, b| (&a.name, a.digest).cmp(&(&b.name, b.digest)));
    EntriesReport { entries }
}
