//! Files that seeds consist of, opened without following a link.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::model::FilePath;
use crate::oci::Digest;
use crate::store::Layout;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
/// Neither a link is followed nor a FIFO waited for.
const FILE: OFlags = OFlags::NOFOLLOW
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// An open folder that files are read from.
#[derive(Debug)]
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, FOLDER, Mode::empty())?))
    }

    /// Opens a regular file below it. No component may be a link: what a folder of models holds is
    /// nobody's way to other files.
    pub(super) fn file(&self, path: &FilePath) -> io::Result<File> {
        let mut folder = self.0.try_clone()?;
        for name in path.parent().split('/').filter(|name| !name.is_empty()) {
            folder = openat(&folder, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        }
        let file = File::from(openat(&folder, path.file_name(), FILE, Mode::empty())?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("it is not a regular file")),
        }
    }

    /// Reads a file of at most `limit` bytes.
    pub(super) fn read_small(&self, path: &FilePath, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > limit {
            true => Err(io::Error::other(format!("it is longer than {limit} bytes"))),
            false => Ok(bytes),
        }
    }
}

/// A file of a seed. Nothing is believed of its content.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file below a folder.
    File(Arc<Root>, FilePath),
    /// A blob of a store.
    Blob(Layout, Digest),
}

impl Place {
    pub(super) fn open(&self) -> io::Result<File> {
        match self {
            Self::File(root, path) => root.file(path),
            Self::Blob(layout, digest) => {
                let opened = layout.open_blob(digest);
                opened.map(|(file, _)| file).map_err(io::Error::other)
            }
        }
    }

    /// Its length in bytes, if it can be read.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::File(root, path) => Some(root.file(path).ok()?.metadata().ok()?.len()),
            Self::Blob(layout, digest) => layout.blob_size(digest),
        }
    }
}
