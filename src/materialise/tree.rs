//! Files below a folder, reached component by component and never through a link.
//!
//! Everything is opened relative to the open folder with `O_NOFOLLOW`: whoever swaps a folder for a
//! link while a pull is under way makes it fail, and can not lead it elsewhere (security rows A10
//! and A16).

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fchmod, ftruncate, mkdirat, openat};
use rustix::io::{Errno, retry_on_intr};

use super::{MaterialiseError, PlannedFile};
use crate::model::FilePath;
use crate::store;

const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// The unit in which the system counts the space of a file, in bytes.
const BLOCK: u64 = 512;
/// What files and folders are while they are written: the owner's alone.
const PRIVATE_FILE: Mode = Mode::from_raw_mode(0o600);
const PRIVATE_FOLDER: Mode = Mode::from_raw_mode(0o700);
/// What they are in the end, whatever the umask.
pub(super) const FILE: Mode = Mode::from_raw_mode(0o644);
pub(super) const EXECUTABLE: Mode = Mode::from_raw_mode(0o755);

/// An open folder that files are written into.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    /// Where it was when it was opened: for messages only.
    path: PathBuf,
}

impl Tree {
    pub(super) fn new(root: OwnedFd, path: &Path) -> Self {
        let path = path.to_owned();
        Self { root, path }
    }

    /// Creates a file of its final length, with the folders that it is in. The space is reserved
    /// where the file system can do that, so that a full disk shows before anything is fetched.
    pub(super) fn create(&self, file: &PlannedFile) -> Result<File, MaterialiseError> {
        self.create_with(file, OFlags::EXCL)
    }

    /// Makes sure that a file is there with its final length; what it holds already stays.
    pub(super) fn provide(&self, file: &PlannedFile) -> Result<File, MaterialiseError> {
        self.create_with(file, OFlags::NONBLOCK)
    }

    fn create_with(&self, file: &PlannedFile, flags: OFlags) -> Result<File, MaterialiseError> {
        let create = || -> io::Result<File> {
            let folder = self.folder(&file.path, true)?;
            let flags = flags | OFlags::CREATE | OFlags::WRONLY;
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let created = openat(&folder, file.path.file_name(), flags, PRIVATE_FILE)?;
            reserve(&created, file.size)?;
            Ok(created.into())
        };
        create().map_err(self.failed(&file.path))
    }

    /// Opens a file that was created before, to write into it.
    pub(super) fn open(&self, path: &FilePath) -> Result<File, MaterialiseError> {
        self.open_with(path, OFlags::WRONLY)
    }

    /// Opens a file that was created before, to read what was written into it.
    pub(super) fn open_to_read(&self, path: &FilePath) -> Result<File, MaterialiseError> {
        self.open_with(path, OFlags::RDONLY)
    }

    fn open_with(&self, path: &FilePath, flags: OFlags) -> Result<File, MaterialiseError> {
        let open = || -> io::Result<File> {
            let folder = self.folder(path, false)?;
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(&folder, path.file_name(), flags, Mode::empty())?;
            Ok(opened.into())
        };
        open().map_err(self.failed(path))
    }

    /// How many bytes of disk a file has already, at most its length; none if it is not there.
    pub(super) fn held(&self, file: &PlannedFile) -> u64 {
        let metadata = self
            .open_to_read(&file.path)
            .ok()
            .and_then(|opened| opened.metadata().ok());
        metadata.map_or(0, |metadata| {
            let blocks = metadata.blocks().saturating_mul(BLOCK);
            blocks.min(file.size)
        })
    }

    /// Gives a file its final mode and waits until it is on disk.
    pub(super) fn finish(&self, file: &PlannedFile) -> Result<(), MaterialiseError> {
        let opened = self.open(&file.path)?;
        let mode = if file.executable { EXECUTABLE } else { FILE };
        let finish = fchmod(&opened, mode).map_err(io::Error::from);
        finish
            .and_then(|()| Ok(retry_on_intr(|| rustix::fs::fsync(&opened))?))
            .map_err(self.failed(&file.path))
    }

    /// Gives the folders of these files, and the root, their final mode, and waits until their
    /// entries are on disk.
    pub(super) fn finish_folders(&self, files: &[PlannedFile]) -> Result<(), MaterialiseError> {
        let mut folders = BTreeSet::new();
        for file in files {
            let mut folder = file.path.parent();
            while !folder.is_empty() && folders.insert(folder) {
                folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
            }
        }
        for folder in folders {
            let finish = self
                .walk(folder.split('/'), false)
                .and_then(|folder| settle(&folder));
            finish.map_err(MaterialiseError::io(&self.path.join(folder)))?;
        }
        settle(&self.root).map_err(MaterialiseError::io(&self.path))
    }

    /// Where it is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names a file in an I/O error.
    pub(super) fn failed(
        &self,
        path: &FilePath,
    ) -> impl FnOnce(io::Error) -> MaterialiseError + use<> {
        MaterialiseError::io(&path.under(&self.path))
    }

    /// Opens the folder that a file is in.
    fn folder(&self, path: &FilePath, create: bool) -> io::Result<OwnedFd> {
        let names = path.parent().split('/').filter(|name| !name.is_empty());
        self.walk(names, create)
    }

    fn walk<'a>(&self, names: impl Iterator<Item = &'a str>, create: bool) -> io::Result<OwnedFd> {
        let mut folder = self.root.try_clone()?;
        for name in names {
            if create {
                match mkdirat(&folder, name, PRIVATE_FOLDER) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            folder = openat(&folder, name, FOLDER, Mode::empty())?;
        }
        Ok(folder)
    }
}

fn settle(folder: &OwnedFd) -> io::Result<()> {
    fchmod(folder, EXECUTABLE)?;
    Ok(retry_on_intr(|| rustix::fs::fsync(folder))?)
}

/// Gives a file its length, and its space where the file system can reserve it.
pub(super) fn reserve(file: impl AsFd, size: u64) -> io::Result<()> {
    let file = file.as_fd();
    // One that is longer, of a pull that was killed, becomes shorter.
    retry_on_intr(|| ftruncate(file, size))?;
    match store::reserve(file, 0..size) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => Ok(()),
        other => other,
    }
}
