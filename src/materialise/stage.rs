//! The temporary folder of a pull, and what killed pulls have left of theirs.
//!
//! ```text
//! .modelctl-tmp-<target>-<pid>-<n>/   0700, locked (flock) as long as its pull lives
//!     new/                            what will be the target
//!     old/                            only inside a target: what is being replaced
//! ```
//!
//! It is beside the target, so that one rename puts everything in place; or inside it, where the
//! target is a mount point or its parent may not be written. A lock that can be had belongs to a
//! dead pull: its folder is removed. Dropping a stage removes it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, statat,
};
use rustix::io::Errno;

use super::MaterialiseError;
use super::target::is_mount;
use super::tree::Tree;
use crate::oci::Digest;

/// How the names of temporary folders begin.
pub(super) const PREFIX: &str = ".modelctl-tmp-";
/// What will be the target.
pub(super) const NEW: &str = "new";
/// What is being replaced.
pub(super) const OLD: &str = "old";

const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::from_raw_mode(0o700);

/// Where the temporary folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the parent of the target.
    Beside(PathBuf),
    /// In the target.
    Inside(PathBuf),
}

impl Place {
    /// Chooses the place by what can be seen. A parent that may not be written shows later.
    pub(super) fn of(target: &Path) -> io::Result<Self> {
        let inside = target.file_name().is_none() || (target.is_dir() && is_mount(target)?);
        if inside {
            return Ok(Self::Inside(target.to_owned()));
        }
        Ok(Self::Beside(match target.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        }))
    }

    /// The folder that the temporary folder is in.
    pub(super) fn base(&self) -> &Path {
        match self {
            Self::Beside(base) | Self::Inside(base) => base,
        }
    }

    fn prefix(&self, target: &Path) -> String {
        let name = target.file_name().map(OsStrExt::as_bytes);
        let name = match self {
            Self::Beside(_) => name.unwrap_or_default(),
            Self::Inside(_) => b".",
        };
        format!("{PREFIX}{}-", Digest::sha256(name).short())
    }
}

/// A temporary folder that is ours.
#[derive(Debug)]
pub(super) struct Stage {
    path: PathBuf,
    /// Open, and locked where the file system has locks.
    folder: OwnedFd,
    keep: bool,
}

impl Stage {
    /// Creates the temporary folder with `new` in it.
    pub(super) fn create(place: &Place, target: &Path) -> Result<Self, MaterialiseError> {
        let prefix = place.prefix(target);
        let pid = std::process::id();
        let failed = |cause: io::Error| MaterialiseError::io(place.base())(cause);
        for number in 0..u32::MAX {
            let path = place.base().join(format!("{prefix}{pid}-{number}"));
            match mkdirat(CWD, &path, PRIVATE) {
                Err(Errno::EXIST) => continue,
                other => other.map_err(|error| failed(error.into()))?,
            }
            // Another pull may have taken it for a leftover before the lock was there.
            if let Some(folder) = lock(&path).map_err(failed)? {
                mkdirat(&folder, NEW, PRIVATE).map_err(|error| failed(error.into()))?;
                return Ok(Self {
                    path,
                    folder,
                    keep: false,
                });
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is.
    pub(super) fn keep(&mut self) {
        self.keep = true;
    }

    /// The folder that will be the target.
    pub(super) fn tree(&self) -> Result<Tree, MaterialiseError> {
        let path = self.path.join(NEW);
        let folder = openat(&self.folder, NEW, FOLDER, Mode::empty());
        Ok(Tree::new(
            folder.map_err(MaterialiseError::io(&path))?,
            &path,
        ))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed now is removed by the next pull of this target.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Opens and locks a temporary folder; `None` if another pull has it, or it is gone.
fn lock(path: &Path) -> io::Result<Option<OwnedFd>> {
    let folder = match openat(CWD, path, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        other => other?,
    };
    // Where there are no locks, nothing is taken for a leftover either: see `Leftovers::find`.
    if flock(&folder, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(None);
    }
    let (own, there) = (
        fstat(&folder)?,
        statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW),
    );
    let same = there.is_ok_and(|there| (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino));
    Ok(same.then_some(folder))
}

/// Temporary folders of pulls that died.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Of pulls that died while they replaced the content of the target, with their locks.
    replacing: Vec<(PathBuf, OwnedFd)>,
}

impl Leftovers {
    /// Looks for leftovers of pulls of this target, and removes those that changed nothing.
    pub(super) fn find(place: &Place, target: &Path) -> io::Result<Self> {
        let prefix = place.prefix(target);
        let mut found = Self::default();
        for entry in fs::read_dir(place.base())? {
            let name: OsString = entry?.file_name();
            if !name.as_bytes().starts_with(prefix.as_bytes()) {
                continue;
            }
            let path = place.base().join(name);
            let Some(folder) = lock_dead(&path) else {
                continue;
            };
            if path.join(OLD).symlink_metadata().is_ok() {
                found.replacing.push((path, folder));
            } else {
                fs::remove_dir_all(&path)?;
            }
        }
        Ok(found)
    }

    /// Whether a pull died while it replaced the content of the target.
    pub(super) fn were_replacing(&self) -> bool {
        !self.replacing.is_empty()
    }

    /// Removes them: the target is complete again.
    pub(super) fn remove(self) -> io::Result<()> {
        self.replacing
            .iter()
            .try_for_each(|(path, _)| fs::remove_dir_all(path))
    }
}

/// Locks a folder whose owner is dead for certain.
fn lock_dead(path: &Path) -> Option<OwnedFd> {
    let folder = openat(CWD, path, FOLDER, Mode::empty()).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(folder)
}
