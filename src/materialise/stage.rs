//! The temporary folder of a pull: where it is, and whose.
//!
//! ```text
//! .modelctl-tmp-<target>/   0700, locked (flock) as long as its pull lives
//!     new/                  what will be the target
//!     journal               how far each blob is: see `journal`
//!     rest                  bytes of blobs that no file needs: see `spread`
//!     old/, replaced/       only while the target is replaced: see `commit` and `recover`
//! ```
//!
//! It is beside the target, so that one rename puts everything in place; or inside it, where the
//! target is a mount point or its parent may not be written. Its name depends on the target alone:
//! so two pulls of one target meet at its lock, and the next one finds what a killed one has left.
//! Where that cannot be (no locks, or the folder is another user's), a pull takes a name that no
//! other has, and leaves nothing.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, statat, unlinkat,
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
/// What is moved out of the way.
pub(super) const OLD: &str = "old";
/// What was moved out of the way, when all of it was.
pub(super) const REPLACED: &str = "replaced";

const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const PRIVATE: Mode = Mode::from_raw_mode(0o700);

/// How many files removing it opens at a time, as a rule.
const SPARE: usize = 4;

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

    fn name(&self, target: &Path) -> String {
        let name = target.file_name().map(OsStrExt::as_bytes);
        let name = match self {
            Self::Beside(_) => name.unwrap_or_default(),
            Self::Inside(_) => b".",
        };
        format!("{PREFIX}{}", Digest::sha256(name).short())
    }
}

/// A temporary folder that is ours. It stays until it is [removed](Stage::remove).
#[derive(Debug)]
pub(super) struct Stage {
    path: PathBuf,
    /// Open, and locked where the file system has locks.
    folder: OwnedFd,
    /// Whether another process can find it by its name and go on with it.
    is_shared: bool,
    /// Given back when it is removed: a process that may open no more files could not remove any.
    spare: Mutex<Vec<OwnedFd>>,
    /// Whether it was removed, or is to stay because it holds what is to be found nowhere else.
    is_settled: AtomicBool,
}

impl Stage {
    /// Takes the temporary folder of a target, with what an earlier pull has left in it. `None`
    /// while another pull has it.
    pub(super) fn take(place: &Place, target: &Path) -> Result<Option<Self>, MaterialiseError> {
        let path = place.base().join(place.name(target));
        let taken = lock(&path).and_then(|locked| match locked {
            Lock::Ours(folder) => Self::new(path, folder, true).map(Some),
            Lock::Busy => Ok(None),
            Lock::Impossible => Self::unshared(&path).map(Some),
        });
        taken.map_err(MaterialiseError::io(place.base()))
    }

    /// Creates a temporary folder whose name no other pull has.
    fn unshared(path: &Path) -> io::Result<Self> {
        let pid = std::process::id();
        for number in 0..u32::MAX {
            let mut name = path.as_os_str().to_owned();
            name.push(format!("-{pid}-{number}"));
            match mkdirat(CWD, &name, PRIVATE) {
                Err(Errno::EXIST) => {}
                other => {
                    other?;
                    let folder = openat(CWD, &name, FOLDER, Mode::empty())?;
                    return Self::new(name.into(), folder, false);
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn new(path: PathBuf, folder: OwnedFd, is_shared: bool) -> io::Result<Self> {
        let spare = (0..SPARE).map(|_| folder.try_clone());
        let spare: io::Result<Vec<OwnedFd>> = spare.collect();
        let spare = spare.inspect_err(|_| remove_if_empty(&path))?;
        Ok(Self {
            path,
            folder,
            is_shared,
            spare: Mutex::new(spare),
            is_settled: AtomicBool::new(false),
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another process can go on with it.
    pub(super) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The open folder.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// From now on it is not removed.
    pub(super) fn need(&self) {
        self.is_settled.store(true, Ordering::Relaxed);
    }

    /// The folder that will be the target; created if it is not there.
    pub(super) fn tree(&self) -> Result<Tree, MaterialiseError> {
        let path = self.path.join(NEW);
        let opened = match mkdirat(&self.folder, NEW, PRIVATE) {
            Err(Errno::EXIST) | Ok(()) => openat(&self.folder, NEW, FOLDER, Mode::empty()),
            Err(error) => Err(error),
        };
        Ok(Tree::new(
            opened.map_err(MaterialiseError::io(&path))?,
            &path,
        ))
    }

    /// Removes what is in it.
    pub(super) fn clear(&self) -> Result<(), MaterialiseError> {
        let clear = || -> io::Result<()> {
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    true => fs::remove_dir_all(entry.path())?,
                    false => fs::remove_file(entry.path())?,
                }
            }
            Ok(())
        };
        clear().map_err(MaterialiseError::io(&self.path))
    }

    /// Removes it, once: later, another pull may have one of the same name. What cannot be removed
    /// now is removed by the next pull of this target.
    pub(super) fn remove(&self) {
        if !self.is_settled.swap(true, Ordering::Relaxed) {
            let spare = self.spare.lock();
            spare.unwrap_or_else(PoisonError::into_inner).clear();
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// What came of locking a folder.
enum Lock {
    /// It is locked, and there.
    Ours(OwnedFd),
    /// Another pull has it, or has just removed it.
    Busy,
    /// It cannot be locked, or must not be used.
    Impossible,
}

/// Creates a folder, unless it is there, and locks it.
fn lock(path: &Path) -> io::Result<Lock> {
    match mkdirat(CWD, path, PRIVATE) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    open_locked(path).inspect_err(|_| remove_if_empty(path))
}

fn remove_if_empty(path: &Path) {
    let _ = unlinkat(CWD, path, AtFlags::REMOVEDIR);
}

fn open_locked(path: &Path) -> io::Result<Lock> {
    let folder = match openat(CWD, path, FOLDER, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(Lock::Busy),
        // A link, a file, or a folder of somebody else.
        Err(Errno::LOOP | Errno::NOTDIR | Errno::ACCESS) => return Ok(Lock::Impossible),
        Err(error) => return Err(error.into()),
    };
    let own = fstat(&folder)?;
    // The name can be guessed: whoever may write beside the target could have been here first.
    let is_private = own.st_mode & 0o077 == 0;
    if !is_private || own.st_uid != rustix::process::geteuid().as_raw() {
        return Ok(Lock::Impossible);
    }
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(Lock::Busy),
        // Not every file system has locks. Another pull could be in there.
        Err(_) => return Ok(Lock::Impossible),
    }
    // The pull that had it may have removed it while we waited.
    let there = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
    let same = there.is_ok_and(|there| (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino));
    Ok(match same {
        true => Lock::Ours(folder),
        false => Lock::Busy,
    })
}
