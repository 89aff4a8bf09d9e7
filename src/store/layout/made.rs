//! A layout that somebody made for what is to come, and takes back where nothing came.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::lock::{ContentLock, IndexLock, LOCK_FILES};
use super::open::{Layout, MARKER};
use super::{index_file, ingest};
use crate::store::StoreError;

/// More than the threads of a copy that was given up take to notice it: they hold the content.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// What was made for a layout, where nothing was before.
#[derive(Debug)]
pub struct Made {
    root: PathBuf,
    /// The folders that were not there, the innermost first.
    folders: Vec<PathBuf>,
}

impl Layout {
    /// Opens a layout, or makes one and tells what was made for it.
    pub fn open_or_make(path: &Path) -> Result<(Self, Option<Made>), StoreError> {
        let was_empty = match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let folders = path.ancestors().take_while(is_missing);
        let made = Made {
            root: path.to_owned(),
            folders: folders.map(Path::to_owned).collect(),
        };
        let layout = Self::open_or_create(path)?;
        Ok((layout, was_empty.then_some(made)))
    }
}

impl Made {
    /// Removes what was made and all that was put into it without a name, unless `keeps_blobs` and
    /// there are any: then somebody can go on with them. A layout that has an entry, or that
    /// somebody else is using, stays as it is.
    pub fn take_back(self, keeps_blobs: bool) -> Result<(), StoreError> {
        let root = &self.root;
        let Some(_content) = lock_soon(root)? else {
            return Ok(());
        };
        let _index = IndexLock::acquire(root)?;
        let is_named = !index_file::read(root)?.manifests.is_empty();
        if is_named || (keeps_blobs && has_blobs(root)?) {
            return Ok(());
        }
        // First of all it is no layout any more: nobody opens what is about to go.
        remove(root, MARKER, |path| fs::remove_file(path))?;
        for folder in ["blobs", ingest::FOLDER] {
            remove(root, folder, |path| fs::remove_dir_all(path))?;
        }
        for file in ["index.json"].iter().chain(&LOCK_FILES) {
            remove(root, file, |path| fs::remove_file(path))?;
        }
        // One that has something else in it by now stays, and those above it.
        let _ = self.folders.iter().try_for_each(fs::remove_dir);
        Ok(())
    }
}

/// Locks the content; nothing if somebody else keeps it.
fn lock_soon(root: &Path) -> Result<Option<ContentLock>, StoreError> {
    let start = Instant::now();
    loop {
        match ContentLock::acquire(root) {
            Err(StoreError::Busy { .. }) if start.elapsed() < PATIENCE => thread::sleep(LOOK),
            Err(StoreError::Busy { .. }) => return Ok(None),
            lock => return lock.map(Some),
        }
    }
}

fn has_blobs(root: &Path) -> Result<bool, StoreError> {
    let folder = root.join("blobs/sha256");
    let mut entries = fs::read_dir(&folder).map_err(StoreError::io(&folder))?;
    Ok(entries.next().is_some() || !ingest::incomplete(root)?.is_empty())
}

fn remove(
    root: &Path,
    name: &str,
    how: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), StoreError> {
    let path = root.join(name);
    match how(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(&path)(error)),
        _ => Ok(()),
    }
}
