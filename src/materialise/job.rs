//! The part of a pull that happens on this machine's disk: before the first blob, and after the
//! last one.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::fs::statvfs;

use super::commit::commit;
use super::stage::{Leftovers, Place, Stage};
use super::target::inspect;
use super::tree::Tree;
use super::{MaterialiseError, PlannedFile, PullPlan};
use crate::model::MANIFEST_PATH;

/// How many threads wait for the disk at a time: the journal commits what waits together.
const SYNC_THREADS: usize = 8;

/// A pull whose files are created and empty. Dropping it leaves the target as it was.
pub(super) struct Job {
    target: PathBuf,
    force: bool,
    place: Place,
    leftovers: Leftovers,
    /// The temporary folder, opened for writing files into it.
    pub(super) tree: Arc<Tree>,
    stage: Stage,
}

impl Job {
    /// Looks at the target, the free space and what killed pulls have left, and creates the files.
    pub(super) fn prepare(
        target: &Path,
        force: bool,
        plan: &PullPlan,
    ) -> Result<Self, MaterialiseError> {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(MaterialiseError::io(parent))?;
        }
        let place = Place::of(target).map_err(MaterialiseError::io(target))?;
        match Self::prepare_at(&place, target, force, plan) {
            Err(MaterialiseError::Io { path, cause })
                if path == place.base() && is_refusal(&cause) && target.is_dir() =>
            {
                let inside = Place::Inside(target.to_owned());
                Self::prepare_at(&inside, target, force, plan)
            }
            other => other,
        }
    }

    fn prepare_at(
        place: &Place,
        target: &Path,
        force: bool,
        plan: &PullPlan,
    ) -> Result<Self, MaterialiseError> {
        let leftovers = Leftovers::find(place, target).map_err(MaterialiseError::io(target))?;
        // What a pull was replacing when it died may be replaced.
        let force = force || leftovers.were_replacing();
        inspect(target, force)?;
        check_space(place.base(), plan.size)?;
        let stage = Stage::create(place, target)?;
        let tree = Arc::new(stage.tree()?);
        for file in &plan.files {
            tree.create(file)?;
        }
        Ok(Self {
            target: target.to_owned(),
            force,
            place: place.clone(),
            leftovers,
            tree,
            stage,
        })
    }

    /// Waits until every file is on disk, writes the mark of completeness, and puts all of it in
    /// place of the target.
    pub(super) fn finish(
        self,
        plan: &PullPlan,
        mark: Option<&[u8]>,
    ) -> Result<(), MaterialiseError> {
        finish_files(&self.tree, &plan.files)?;
        let mut files = plan.files.clone();
        if let Some(bytes) = mark {
            let file = PlannedFile {
                path: MANIFEST_PATH.parse().expect("the path is safe"),
                size: bytes.len() as u64,
                executable: false,
            };
            let written = self.tree.create(&file)?.write_all(bytes);
            written.map_err(self.tree.failed(&file.path))?;
            self.tree.finish(&file)?;
            files.push(file);
        }
        self.tree.finish_folders(&files)?;
        commit(self.stage, &self.place, &self.target, self.force)?;
        { self.leftovers.remove() }.map_err(MaterialiseError::io(&self.target))
    }
}

/// Whether a folder may not be written into.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn check_space(base: &Path, needed: u64) -> Result<(), MaterialiseError> {
    let free = statvfs(base).map_err(MaterialiseError::io(base))?;
    let available = free.f_bavail.saturating_mul(free.f_frsize);
    match needed.checked_sub(available) {
        None | Some(0) => Ok(()),
        Some(missing) => Err(MaterialiseError::Space {
            path: base.to_owned(),
            needed,
            available,
            missing,
        }),
    }
}

fn finish_files(tree: &Tree, files: &[PlannedFile]) -> Result<(), MaterialiseError> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), MaterialiseError> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            tree.finish(file)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads = SYNC_THREADS.min(files.len());
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|outcome| outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
