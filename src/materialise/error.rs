//! Errors of this stage.

use std::io;
use std::path::{Path, PathBuf};

use crate::ErrorKind;

/// Why files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum MaterialiseError {
    /// A local file could not be read or written.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The target may not be replaced.
    #[error("`{}` {reason}", path.display())]
    Occupied {
        /// The target.
        path: PathBuf,
        /// What it is, and the remedy.
        reason: String,
    },
    /// The files do not fit.
    #[error(
        "`{}` needs {missing} more bytes: the model has {needed}, {available} are free",
        path.display()
    )]
    Space {
        /// A folder on the file system.
        path: PathBuf,
        /// How many bytes the model has.
        needed: u64,
        /// How many bytes are free.
        available: u64,
        /// How many bytes are missing.
        missing: u64,
    },
    /// A plan was asked for with the model manifest of one artifact and the layers of another.
    #[error("the model manifest is not that of the artifact: it lists other layers")]
    OtherArtifact,
    /// No file of the model is named by the patterns.
    #[error("no file of the model is named by --only; it has {}", list(.0))]
    NothingNamed(Vec<String>),
}

/// A few names, and how many there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl MaterialiseError {
    /// Names the file in an I/O error: `.map_err(MaterialiseError::io(path))`.
    pub(super) fn io<E: Into<io::Error>>(path: &Path) -> impl FnOnce(E) -> Self + use<E> {
        let path = path.to_owned();
        move |cause| Self::Io {
            path,
            cause: cause.into(),
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } | Self::Space { .. } => ErrorKind::Io,
            Self::Occupied { .. } | Self::OtherArtifact | Self::NothingNamed(_) => ErrorKind::Usage,
        }
    }
}
