//! Why a folder cannot be packed as it is.

use std::io;
use std::path::{Path, PathBuf};

use super::GlobError;
use crate::ErrorKind;
use crate::model::{FilePath, FilePathError};

/// Why the files of a model could not be listed. Each names the file and, where there is one, the
/// remedy (security row A07: nothing is dropped in silence).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or folder could not be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A symbolic link.
    #[error(
        "`{path}` is a symbolic link to `{}`; pack the real file in its place, or leave it out with --exclude '/{path}'",
        target.display()
    )]
    Symlink {
        /// The link.
        path: FilePath,
        /// What it points to, as it is written there.
        target: PathBuf,
    },
    /// A FIFO, a socket or a device.
    #[error("`{path}` is {kind}, not a regular file; leave it out with --exclude '/{path}'")]
    NotRegular {
        /// The file.
        path: FilePath,
        /// What it is.
        kind: &'static str,
    },
    /// A name is not UTF-8, which no OCI annotation could hold.
    #[error("name of `{}` is not UTF-8; rename it", .0.display())]
    NotUnicode(PathBuf),
    /// A name that a pull could not write safely.
    #[error("{0}; rename it or leave it out with --exclude")]
    Name(#[from] FilePathError),
    /// Two names that are one on some file systems.
    #[error(
        "`{first}` and `{second}` are the same name where case or Unicode form do not count; rename one"
    )]
    Clash {
        /// The first in order.
        first: FilePath,
        /// The second.
        second: FilePath,
    },
    /// `.modelctl` is there, but no pull wrote it.
    #[error("`{}` has the name of the folder that modelctl writes, but no valid manifest.json in it; rename it or leave it out with --exclude", .0.display())]
    Reserved(PathBuf),
    /// A pattern is invalid.
    #[error(transparent)]
    Glob(#[from] GlobError),
}

impl SourceError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. } => ErrorKind::Io,
            Self::Glob(_) => ErrorKind::Usage,
            Self::Symlink { .. }
            | Self::NotRegular { .. }
            | Self::NotUnicode(_)
            | Self::Name(_)
            | Self::Clash { .. }
            | Self::Reserved(_) => ErrorKind::Unsupported,
        }
    }
}
