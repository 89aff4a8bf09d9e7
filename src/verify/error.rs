//! Errors of this stage.

use std::io;
use std::path::{Path, PathBuf};

use crate::ErrorKind;
use crate::model::MANIFEST_PATH;

/// Why a verification could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A local file could not be read.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// There is nothing to verify a folder against.
    #[error(
        "`{}` has no `{MANIFEST_PATH}`: no complete pull wrote it, and there is nothing to verify it against",
        .0.display()
    )]
    NoManifest(PathBuf),
}

impl VerifyError {
    /// Names the file in an I/O error: `.map_err(VerifyError::io(path))`.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |cause| match cause.kind() {
            io::ErrorKind::NotFound if path.ends_with(MANIFEST_PATH) => {
                Self::NoManifest(path.ancestors().nth(2).unwrap_or(&path).to_owned())
            }
            _ => Self::Io { path, cause },
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. } => ErrorKind::Io,
            Self::NoManifest(_) => ErrorKind::Unsupported,
        }
    }
}
