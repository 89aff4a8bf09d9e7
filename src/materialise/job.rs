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
        // What is no folder is never replaced, and a link is not even looked through.
        inspect(target, true)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(MaterialiseError::io(parent))?;
        }
        let place = Place::of(target).map_err(MaterialiseError::io(target))?;
        match Self::prepare_at(&place, target, force, plan) {
            // The parent may not be written, but perhaps the target.
            Err(MaterialiseError::Io { cause, .. }) if is_refusal(&cause) && target.is_dir() => {
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
        self.leftovers
            .remove()
            .map_err(MaterialiseError::io(&self.target))
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
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(finished) => finished,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::materialise::stage::PREFIX;
    use crate::oci::Digest;

    fn plan(files: &[&str]) -> PullPlan {
        let files = files.iter().map(|path| PlannedFile {
            path: path.parse().unwrap(),
            size: path.len() as u64,
            executable: false,
        });
        PullPlan {
            files: files.collect(),
            blobs: vec![],
            size: 0,
            mark: None,
        }
    }

    /// Writes each file's path into it, as a pull from inside the target.
    fn pull_inside(root: &Path, files: &[&str], force: bool) -> Result<(), MaterialiseError> {
        let place = Place::Inside(root.to_owned());
        let plan = plan(files);
        let job = Job::prepare_at(&place, root, force, &plan)?;
        for file in &plan.files {
            job.tree
                .open(&file.path)?
                .write_all(file.path.as_str().as_bytes())
                .unwrap();
        }
        job.finish(
            &plan,
            Some(br#"{"schemaVersion":1,"format":"other","layers":[],"files":[]}"#),
        )
    }

    fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = crate::model::folder::walk(root).unwrap();
        let files = entries.into_iter().filter(|entry| entry.is_file());
        files
            .map(|entry| {
                (
                    entry.path.clone(),
                    fs::read(root.join(&entry.path)).unwrap(),
                )
            })
            .collect()
    }

    fn write(path: PathBuf) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "before").unwrap();
    }

    #[test]
    fn content_is_exchanged_inside_a_folder_that_cannot_be_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root.join("lost+found/1"));
        pull_inside(root, &["a/b", "c"], false).unwrap();
        assert_eq!(tree(root).len(), 4);
        write(root.join("mine"));
        let refused = pull_inside(root, &["a/d"], false);
        assert!(matches!(refused, Err(MaterialiseError::Occupied { .. })));
        pull_inside(root, &["a/d"], true).unwrap();
        let left: Vec<PathBuf> = tree(root).into_keys().collect();
        let expected = [".modelctl/manifest.json", "a/d", "lost+found/1"];
        assert_eq!(left, expected.map(PathBuf::from));
    }

    #[test]
    fn exchange_that_fails_half_way_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in ["lost+found/1", "a/b", ".modelctl/x"] {
            write(root.join(path));
        }
        let before = tree(root);
        // A folder cannot be renamed over one that is not empty, and that one is not ours to move.
        let failed = pull_inside(root, &["a/new", "lost+found/2"], true);
        assert!(matches!(failed, Err(MaterialiseError::Io { .. })));
        assert_eq!(tree(root), before);
    }

    #[test]
    fn pull_that_died_during_the_exchange_is_finished_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let dead = format!("{PREFIX}{}-1-0", Digest::sha256(b".").short());
        write(root.join("half"));
        write(root.join(&dead).join("old/mark"));
        // One that fails keeps the right to be repeated.
        let plan = plan(&["c"]);
        let place = Place::Inside(root.to_owned());
        drop(Job::prepare_at(&place, root, false, &plan).unwrap());
        assert!(root.join(&dead).exists());
        pull_inside(root, &["c"], false).unwrap();
        let left: Vec<PathBuf> = tree(root).into_keys().collect();
        let expected = [".modelctl/manifest.json", "c"];
        assert_eq!(left, expected.map(PathBuf::from));
    }
}
