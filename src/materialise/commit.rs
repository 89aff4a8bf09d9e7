//! The last step: what was written takes the name of the target.
//!
//! Beside the target that is one rename. Inside it (and beside it, where folders cannot be
//! exchanged) there are several steps, and a process can be killed between any two of them:
//!
//! ```text
//! 1  what is there moves down into old/, the mark of completeness first
//! 2  old/ becomes replaced/
//! 3  what was pulled moves up, the mark last
//! ```
//!
//! `recover` takes them back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::MaterialiseError;
use super::recover::announce;
use super::stage::{NEW, OLD, Place, REPLACED, Stage};
use super::target::{Occupant, entries, inspect, names};
use crate::model::OWN_FOLDER;

/// Puts the content of a stage into place and removes what was there. An error leaves the target
/// as it was.
pub(super) fn commit(
    stage: &Stage,
    place: &Place,
    target: &Path,
    force: bool,
) -> Result<(), MaterialiseError> {
    // Somebody may have put something there in the meantime.
    let occupant = inspect(target, force)?;
    let put = match place {
        Place::Beside(_) => put_beside(stage, target, occupant),
        Place::Inside(_) => move_up(stage, target),
    };
    put.map_err(MaterialiseError::io(target))?;
    sync(place.base()).map_err(MaterialiseError::io(place.base()))
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn put_beside(stage: &Stage, target: &Path, occupant: Occupant) -> io::Result<()> {
    let new = stage.path().join(NEW);
    if occupant != Occupant::Replaceable {
        // Over an empty folder this is atomic, too.
        return fs::rename(new, target);
    }
    match renameat_with(CWD, &new, CWD, target, RenameFlags::EXCHANGE) {
        // Not every file system can exchange: then there is a moment without a target.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            let old = stage.path().join(OLD);
            let mut moves = Moves::default();
            let moved = moves
                .rename(target, &old)
                .and_then(|()| moves.rename(&new, target));
            moved.inspect_err(|_| moves.undo(stage))
        }
        other => Ok(other?),
    }
}

/// Moves the entries of a stage inside the target up into it, the mark of completeness last, after
/// what was there has moved down, the mark first.
fn move_up(stage: &Stage, target: &Path) -> io::Result<()> {
    let (new, old) = (stage.path().join(NEW), stage.path().join(OLD));
    let mut leaving = entries(target)?;
    leaving.sort_by_key(|name| name != OWN_FOLDER);
    let mut coming = names(&new)?;
    coming.sort_by_key(|name| name == OWN_FOLDER);
    announce(stage.path(), &coming)?;
    fs::create_dir(&old)?;
    let mut moves = Moves::default();
    let moved = leaving
        .iter()
        .try_for_each(|name| moves.rename(&target.join(name), &old.join(name)))
        .and_then(|()| sync(target))
        .and_then(|()| moves.rename(&old, &stage.path().join(REPLACED)))
        .and_then(|()| {
            coming
                .iter()
                .try_for_each(|name| moves.rename(&new.join(name), &target.join(name)))
        });
    moved.inspect_err(|_| moves.undo(stage))
}

/// Renames that can be taken back.
#[derive(Default)]
struct Moves(Vec<(PathBuf, PathBuf)>);

impl Moves {
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.0.push((from.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Takes them back, the last one first. If one cannot be, what was replaced is still in the
    /// stage, and stays there.
    fn undo(&mut self, stage: &Stage) {
        let mut moves = self.0.drain(..).rev();
        if !moves.all(|(from, to)| fs::rename(to, from).is_ok()) {
            stage.need();
        }
    }
}
