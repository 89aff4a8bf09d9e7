//! A file of a model on disk.
//!
//! Length, time of change and inode are remembered, so that a file that changes between planning
//! and reading is noticed by whoever opens it.

use std::fmt;
use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;

use super::{Identity, SourceError};
use crate::model::{FilePath, folder};

/// A file of a model on disk, as it was when the folder was walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Its path in the model.
    pub path: FilePath,
    /// Where it is on this machine.
    pub location: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
    identity: Identity,
}

impl ModelFile {
    /// Describes one file: regular, or an error that says what it is and what to do.
    pub fn new(path: FilePath, location: PathBuf) -> Result<Self, SourceError> {
        let metadata =
            fs::symlink_metadata(&location).map_err(|source| SourceError::io(&location, source))?;
        Self::from_metadata(path, location, &metadata)
    }

    pub(super) fn from_metadata(
        path: FilePath,
        location: PathBuf,
        metadata: &Metadata,
    ) -> Result<Self, SourceError> {
        let kind = metadata.file_type();
        if kind.is_symlink() {
            let target =
                fs::read_link(&location).map_err(|source| SourceError::io(&location, source))?;
            return Err(SourceError::Symlink { path, target });
        }
        if !kind.is_file() {
            let kind = kind_of(kind);
            return Err(SourceError::NotRegular { path, kind });
        }
        Ok(Self {
            path,
            location,
            size: metadata.len(),
            executable: metadata.mode() & 0o100 != 0,
            identity: Identity::of(metadata),
        })
    }

    /// What it was to the file system when the folder was walked.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Opens the file, unless it is no longer the one that was walked. Errors name the file.
    pub fn open(&self) -> io::Result<File> {
        let opened = folder::open_regular(&self.location);
        let file = opened.map_err(|error| self.fault(error.kind(), &error))?;
        self.check_unchanged(&file)?;
        Ok(file)
    }

    /// Compares an open file with what was walked. Errors name the file.
    pub fn check_unchanged(&self, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        // A new link or other rights make no other file.
        let now = Identity {
            changed: self.identity.changed,
            ..Identity::of(&metadata)
        };
        let same = metadata.is_file() && now == self.identity;
        if same {
            return Ok(());
        }
        Err(self.fault(io::ErrorKind::Other, &"changed while it was being packed"))
    }

    /// An error of the file, with its name.
    pub(crate) fn fault(&self, kind: io::ErrorKind, reason: &dyn fmt::Display) -> io::Error {
        io::Error::new(kind, format!("`{}`: {reason}", self.location.display()))
    }
}

/// What a file is that is neither regular nor a link, for people.
fn kind_of(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}
