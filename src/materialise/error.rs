//! Errors of this stage.

use std::io;
use std::path::{Path, PathBuf};

use crate::ErrorKind;
use crate::store::Size;

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
        "needs {} more in `{}`: the model has {}, {}{} are free",
        Size(*missing),
        path.display(),
        Size(*needed),
        there(*held),
        Size(*available)
    )]
    Space {
        /// A folder on the file system.
        path: PathBuf,
        /// How many bytes are written in all.
        needed: u64,
        /// How many of them an earlier pull has left.
        held: u64,
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

/// What an earlier pull has left, if it has.
fn there(held: u64) -> String {
    match held {
        0 => String::new(),
        held => format!("of which {} are there from an earlier pull, ", Size(held)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_space_is_named_with_its_place() {
        let error = MaterialiseError::Space {
            path: "/models".into(),
            needed: 10 << 30,
            held: 0,
            available: (6 << 30) + (800 << 20),
            missing: (3 << 30) + (200 << 20),
        };
        let text = error.to_string();
        assert!(
            text.starts_with("needs 3.2 GiB more in `/models`: "),
            "{text}"
        );
    }
}
