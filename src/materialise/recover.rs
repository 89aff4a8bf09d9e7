//! What a pull that was killed while it replaced the target had begun, taken back: afterwards the
//! target is as it was before, and the temporary folder holds all that was pulled.
//!
//! See `commit` for the steps. Which of them were done is told by the names in the temporary folder.

use std::fs;
use std::io;
use std::path::Path;

use super::MaterialiseError;
use super::stage::{NEW, OLD, Place, REPLACED, Stage};
use super::target::names;
use crate::model::folder;

/// The names of what is moved up, one a line, in the temporary folder.
const COMING: &str = "coming";
/// No more than this is read of it, in bytes.
const MAX_COMING: u64 = 1 << 20;

/// Notes what will be moved up, before anything is.
pub(super) fn announce(stage: &Path, coming: &[std::ffi::OsString]) -> io::Result<()> {
    // Names of files of a model are UTF-8 without control characters.
    let names: Vec<_> = coming.iter().map(|name| name.to_string_lossy()).collect();
    fs::write(stage.join(COMING), names.join("\n"))
}

/// Takes back what was begun. Nothing is ever moved over something else.
pub(super) fn recover(stage: &Stage, place: &Place, target: &Path) -> Result<(), MaterialiseError> {
    match place {
        Place::Beside(_) => recover_beside(stage, target),
        Place::Inside(_) => recover_inside(stage, target),
    }
}

fn recover_beside(stage: &Stage, target: &Path) -> Result<(), MaterialiseError> {
    let (old, new) = (stage.path().join(OLD), stage.path().join(NEW));
    if !exists(&old) {
        return Ok(());
    }
    if !exists(&new) {
        // The new folder is in place already.
        return fs::remove_dir_all(&old).map_err(MaterialiseError::io(&old));
    }
    put_back(&old, target)
}

fn recover_inside(stage: &Stage, target: &Path) -> Result<(), MaterialiseError> {
    let (old, replaced) = (stage.path().join(OLD), stage.path().join(REPLACED));
    if exists(&replaced) {
        let new = stage.path().join(NEW);
        if names(&new).is_ok_and(|left| left.is_empty()) {
            // The last one was moved up: nothing is to be taken back.
            return fs::remove_dir_all(&replaced).map_err(MaterialiseError::io(&replaced));
        }
        for name in coming(stage.path()) {
            let (up, down) = (target.join(&name), new.join(&name));
            if exists(&up) && !exists(&down) {
                put_back(&up, &down)?;
            }
        }
        empty_into(&replaced, target)?;
    }
    if exists(&old) {
        empty_into(&old, target)?;
    }
    Ok(())
}

/// Moves everything in a folder into another one, and removes it.
fn empty_into(folder: &Path, other: &Path) -> Result<(), MaterialiseError> {
    for name in names(folder).map_err(MaterialiseError::io(folder))? {
        put_back(&folder.join(&name), &other.join(&name))?;
    }
    fs::remove_dir(folder).map_err(MaterialiseError::io(folder))
}

fn put_back(from: &Path, to: &Path) -> Result<(), MaterialiseError> {
    if exists(to) {
        return Err(MaterialiseError::Occupied {
            path: to.to_owned(),
            reason: format!(
                "is in the way of `{}`, which a pull that was killed had moved: move one of them away",
                from.display()
            ),
        });
    }
    fs::rename(from, to).map_err(MaterialiseError::io(from))
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The names that were noted; those that are none are left out.
fn coming(stage: &Path) -> Vec<String> {
    let bytes = folder::read_small(&stage.join(COMING), MAX_COMING).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let is_name = |name: &&str| !name.is_empty() && !matches!(*name, "." | "..");
    let names = text.split('\n').filter(is_name);
    names
        .filter(|name| !name.contains('/'))
        .map(str::to_owned)
        .collect()
}
