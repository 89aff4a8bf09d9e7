//! What all blobs of a pull that is under way share: the files, and how far each blob is.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::journal::{Journal, key};
use super::spread::{Spread, spread};
use super::stage::Stage;
use super::tree::{Tree, reserve};
use super::{MaterialiseError, PullPlan};
use crate::model::{MANIFEST_PATH, OWN_FOLDER, folder};
use crate::oci::Digest;

/// The file that holds what no file of the model needs.
const REST: &str = "rest";

/// Files that blobs are written into. Threads that write hold it, and with it the lock; when the last
/// one lets go of it, what nobody can go on with is removed.
#[derive(Debug)]
pub(super) struct Work {
    /// What is pulled.
    pub(super) plan: Arc<PullPlan>,
    /// The folder that will be the target.
    pub(super) tree: Tree,
    /// By blob: where its bytes go.
    pub(super) spreads: Vec<Spread>,
    /// By blob: how many of its bytes were there when the work began.
    pub(super) positions: Vec<u64>,
    /// How many bytes came.
    pub(super) fetched: AtomicU64,
    /// How many bytes were there.
    pub(super) resumed: AtomicU64,
    rest: File,
    journal: Option<Journal>,
    /// The temporary folder.
    pub(super) stage: Stage,
}

/// What an earlier process has left of the same pull.
pub(super) struct Found {
    journal: Journal,
    positions: Vec<u64>,
}

impl Found {
    /// Looks for it. What belongs to another pull, or cannot be told, is removed.
    pub(super) fn look(
        stage: &Stage,
        artifact: &Digest,
        plan: &PullPlan,
    ) -> Result<Option<Self>, MaterialiseError> {
        let key = key(artifact, plan);
        let journal = match stage.is_shared() {
            true => Journal::open(stage.folder(), &key, plan)
                .map_err(MaterialiseError::io(stage.path()))?,
            false => None,
        };
        if let Some((journal, positions)) = journal {
            let tree = stage.tree()?;
            let rest = stage.path().join(REST).symlink_metadata();
            let has_rest = rest.is_ok_and(|rest| rest.is_file() && rest.nlink() == 1);
            if has_rest && has_only(&tree, plan).map_err(MaterialiseError::io(tree.path()))? {
                return Ok(Some(Self { journal, positions }));
            }
        }
        stage.clear()?;
        Ok(None)
    }
}

/// What is opened for a pull.
struct Opened {
    tree: Tree,
    rest: File,
    spreads: Vec<Spread>,
    journal: Option<Journal>,
    positions: Vec<u64>,
}

impl Opened {
    fn new(
        stage: &Stage,
        found: Option<Found>,
        artifact: &Digest,
        plan: &PullPlan,
    ) -> Result<Self, MaterialiseError> {
        let tree = stage.tree()?;
        for file in &plan.files {
            match &found {
                Some(_) => tree.provide(file)?,
                None => tree.create(file)?,
            };
        }
        let (spreads, size) = spread(plan);
        let path = stage.path().join(REST);
        let rest = open_rest(&path, size).map_err(MaterialiseError::io(&path))?;
        let (journal, positions) = match found {
            Some(found) => (Some(found.journal), found.positions),
            // It is the last file: without it the others count for nothing.
            None => {
                let create = || Journal::create(stage.folder(), &key(artifact, plan), plan);
                let journal = stage.is_shared().then(create).transpose();
                let journal = journal.map_err(MaterialiseError::io(stage.path()))?;
                (journal, vec![0; plan.blobs.len()])
            }
        };
        Ok(Self {
            tree,
            rest,
            spreads,
            journal,
            positions,
        })
    }
}

impl Work {
    /// Provides the files, as the earlier process left them, or empty.
    pub(super) fn begin(
        stage: Stage,
        found: Option<Found>,
        artifact: &Digest,
        plan: &Arc<PullPlan>,
    ) -> Result<Self, MaterialiseError> {
        let opened = Opened::new(&stage, found, artifact, plan);
        let opened = opened.inspect_err(|_| stage.remove())?;
        Ok(Self {
            plan: Arc::clone(plan),
            tree: opened.tree,
            spreads: opened.spreads,
            positions: opened.positions,
            fetched: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            rest: opened.rest,
            journal: opened.journal,
            stage,
        })
    }

    /// Opens a file by its index; the rest has the index after the last one.
    pub(super) fn open(&self, file: usize, access: Access) -> Result<File, MaterialiseError> {
        match (self.plan.files.get(file), access) {
            (Some(file), Access::Write) => self.tree.open(&file.path),
            (Some(file), Access::Read) => self.tree.open_to_read(&file.path),
            (None, _) => self.rest.try_clone().map_err(self.failed(file)),
        }
    }

    /// Names a file in an I/O error.
    pub(super) fn failed(&self, file: usize) -> impl FnOnce(io::Error) -> MaterialiseError + use<> {
        let path = match self.plan.files.get(file) {
            Some(file) => file.path.under(self.tree.path()),
            None => self.stage.path().join(REST),
        };
        MaterialiseError::io(&path)
    }

    /// Notes how many bytes of a blob are written, if they can be read again.
    pub(super) fn record(&self, blob: usize, position: u64) -> Result<(), MaterialiseError> {
        match &self.journal {
            Some(journal) if self.spreads[blob].is_whole => journal
                .record(blob, position)
                .map_err(MaterialiseError::io(self.stage.path())),
            _ => Ok(()),
        }
    }

    /// Whether another process could go on with what is here.
    pub(super) fn has_progress(&self) -> bool {
        let journal = self.journal.as_ref();
        journal.is_some_and(Journal::has_progress)
    }

    /// Counts bytes that came.
    pub(super) fn count(&self, bytes: u64) {
        self.fetched.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.has_progress() {
            self.stage.remove();
        }
    }
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// To read what was written.
    Read,
    /// To write.
    Write,
}

/// How many bytes a pull writes to disk, and how many of them the disk holds already.
pub(super) fn needed(stage: &Stage, plan: &PullPlan) -> Result<(u64, u64), MaterialiseError> {
    let tree = stage.tree()?;
    let (_, rest) = spread(plan);
    let held: u64 = plan.files.iter().map(|file| tree.held(file)).sum();
    let rest_held = stage.path().join(REST).symlink_metadata();
    let rest_held = rest_held.map_or(0, |rest_held| rest_held.len().min(rest));
    Ok((
        plan.size.saturating_add(rest),
        held.saturating_add(rest_held),
    ))
}

fn open_rest(path: &Path, size: u64) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    reserve(&file, size)?;
    Ok(file)
}

/// Whether a folder holds nothing but files of a plan, each of them under this one name, and their
/// folders. The mark of completeness is written last, and written again.
fn has_only(tree: &Tree, plan: &PullPlan) -> io::Result<bool> {
    let files: HashSet<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
    let folders = known_folders(plan);
    for entry in folder::walk(tree.path())? {
        let path = tree.path().join(&entry.path);
        let known = match entry.path.to_str() {
            Some(path) if entry.is_folder() => folders.contains(path),
            Some(MANIFEST_PATH) if entry.is_file() => {
                std::fs::remove_file(path)?;
                true
            }
            Some(name) if entry.is_file() => {
                files.contains(name) && path.symlink_metadata()?.nlink() == 1
            }
            _ => false,
        };
        if !known {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The folders of a plan's files, and that of the mark.
pub(super) fn known_folders(plan: &PullPlan) -> HashSet<&str> {
    let mut known = HashSet::from([""]);
    let own = plan.mark.as_ref().map(|_| OWN_FOLDER);
    for folder in { plan.files.iter() }
        .map(|file| file.path.parent())
        .chain(own)
    {
        let mut folder = folder;
        while known.insert(folder) {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }
    known
}
