//! Errors of this stage.

use crate::{Error, ErrorKind};

/// Why an artifact could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A blob could not be stored: its file changed, or the store failed.
    #[error("cannot store {blob}")]
    Store {
        /// Which: the path of a layer, `the config` or `the manifest`.
        blob: String,
        /// Why.
        source: Box<Error>,
    },
}

impl PackError {
    pub(super) fn new(blob: &str, source: Error) -> Self {
        Self::Store {
            blob: blob.to_owned(),
            source: Box::new(source),
        }
    }

    /// What to do next, where a registry's answer tells.
    pub(crate) fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Store { source, .. } => source.remedy(),
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store { source, .. } => source.kind(),
        }
    }
}
