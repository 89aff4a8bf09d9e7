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
        move |cause| {
            let is_absent = cause.kind() == io::ErrorKind::NotFound;
            match path.ancestors().nth(2) {
                Some(folder) if is_absent && path.ends_with(MANIFEST_PATH) => {
                    let path = folder.to_owned();
                    match folder.exists() {
                        true => Self::NoManifest(path),
                        false => Self::Io { path, cause },
                    }
                }
                _ => Self::Io { path, cause },
            }
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
