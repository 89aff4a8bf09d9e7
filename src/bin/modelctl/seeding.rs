//! What this machine has already of an artifact that is about to be fetched.

use std::path::PathBuf;
use std::sync::Arc;

use modelctl::oci::Document;
use modelctl::seed::{Saved, SeedError, Seeded, Seeds};
use modelctl::store::Layout;
use serde::Serialize;

use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::places::{Depot, Spot};
use crate::text::Size;

/// A source with what is here already, and how much that turned out to be.
pub(crate) struct Seeding {
    /// What to read from.
    pub(crate) source: Seeded<Depot>,
    seeds: Arc<Seeds>,
}

/// Folders that may hold an earlier version.
#[derive(Default)]
pub(crate) struct SeedFolders {
    /// The folder that will be replaced: it may be anything.
    pub(crate) replaced: Option<PathBuf>,
    /// The ones that were named.
    pub(crate) named: Vec<PathBuf>,
}

/// Looks through the store and the folders, if the artifact comes from a registry: from a place on
/// this machine it is read as it is. A folder that is no seed is only worth a warning.
pub(crate) async fn seed(
    spot: &Spot,
    document: &Document,
    folders: SeedFolders,
    context: &Context,
    output: &mut Output,
) -> Result<Seeding, Failure> {
    let (seeding, problems) = seeded(spot, document, folders, context).await?;
    for problem in problems {
        output.warn(problem)?;
    }
    Ok(seeding)
}

/// The same for who warns of folders that are none himself.
pub(crate) async fn seeded(
    spot: &Spot,
    document: &Document,
    folders: SeedFolders,
    context: &Context,
) -> Result<(Seeding, Vec<SeedError>), Failure> {
    let depot = spot.depot();
    let mut problems = Vec::new();
    let mut seeds = Seeds::default();
    if matches!(spot, Spot::Repository(..)) {
        // Where there is no store yet, none is made for this.
        let store = context.store_path().ok();
        let store = store.and_then(|path| Layout::open(&path).ok());
        let stored = match &store {
            Some(store) => Seeds::of_stored(store, document).await,
            None => None,
        };
        seeds = match stored {
            Some(seeds) => seeds,
            None => Seeds::of(&depot, document).await?,
        };
        (seeds, problems) = blocking(move || search(seeds, store, folders)).await;
    }
    let seeds = Arc::new(seeds);
    let source = Seeded::new(depot, Arc::clone(&seeds));
    Ok((Seeding { source, seeds }, problems))
}

/// Adds the seeds, and says which of those that were named are none.
fn search(
    mut seeds: Seeds,
    store: Option<Layout>,
    folders: SeedFolders,
) -> (Seeds, Vec<SeedError>) {
    if let Some(replaced) = folders.replaced {
        let _ = seeds.add_folder(&replaced);
    }
    let named = folders.named.iter();
    let problems = named.filter_map(|folder| seeds.add_folder(folder).err());
    let problems = problems.collect();
    if let Some(store) = store {
        seeds.add_store(&store);
    }
    (seeds, problems)
}

/// How much came from where, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct SavedReport {
    /// From this machine.
    reused: u64,
    /// Over the network.
    fetched: u64,
}

impl Seeding {
    /// How much was not fetched.
    pub(crate) fn saved(&self) -> SavedReport {
        let Saved { reused, fetched } = self.seeds.saved();
        SavedReport { reused, fetched }
    }
}

impl SavedReport {
    /// The same in words, after a sentence; nothing if nothing was saved.
    pub(crate) fn note(self) -> String {
        match self.reused {
            0 => String::new(),
            reused => format!("; reused {}, fetched {}", Size(reused), Size(self.fetched)),
        }
    }
}
