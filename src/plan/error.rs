//! Errors of this stage.

use std::io;
use std::path::PathBuf;

use super::SignFault;
use crate::ErrorKind;
use crate::model::source::SourceError;
use crate::model::{FilePath, FilePathError};
use crate::onnx::OnnxError;

/// Why no artifact can be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A file of the model could not be read, or changed meanwhile; the text names it.
    #[error("{0}")]
    Read(io::Error),
    /// Whoever waited for digests does not want them any more.
    #[error("hashing was given up")]
    GivenUp,
    /// The files cannot be packed as they are.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A name that the artifact needs would not be safe.
    #[error(transparent)]
    Name(#[from] FilePathError),
    /// The artifact would break a rule of the model manifest.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// A graph is malformed, or its external data is not what a loader accepts.
    #[error(
        "`{path}`: {fault}; leave it out with --exclude '/{path}' if it is no part of the model"
    )]
    Onnx {
        /// The graph.
        path: FilePath,
        /// What is wrong.
        fault: OnnxError,
    },
    /// A graph names external data that is not among the files.
    #[error("`{graph}` names the external data `{location}`, which is missing or left out")]
    MissingExternalData {
        /// The graph.
        graph: FilePath,
        /// The file, from the folder of the graph.
        location: String,
    },
    /// There is nothing to pack.
    #[error("`{}` has no files to pack", .0.display())]
    Empty(PathBuf),
    /// Smoke tests are not in the form expected.
    #[error("tests in `{}`: {reason}", folder.display())]
    Tests {
        /// The folder that was given.
        folder: PathBuf,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// A date has no RFC 3339 form.
    #[error("the date of {0} seconds since 1970 is beyond the year 9999")]
    Date(u64),
    /// The artifact could not be signed.
    #[error("cannot sign the model: {0}")]
    Sign(SignFault),
    /// The artifact would be too large to describe.
    #[error(
        "{document} of {size} bytes is larger than the limit of {limit} bytes: pack the folder in parts, or leave files out with --exclude"
    )]
    TooLarge {
        /// Which document.
        document: &'static str,
        /// Its length in bytes.
        size: u64,
        /// The longest allowed, in bytes.
        limit: u64,
    },
}

impl PlanError {
    pub(super) fn onnx(path: &FilePath, fault: OnnxError) -> Self {
        Self::Onnx {
            path: path.clone(),
            fault,
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(_) | Self::GivenUp => ErrorKind::Io,
            Self::Source(error) => error.kind(),
            Self::Model(error) => error.kind(),
            Self::Onnx { fault, .. } => fault.kind(),
            Self::Tests { .. } | Self::Date(_) => ErrorKind::Usage,
            Self::Name(_)
            | Self::MissingExternalData { .. }
            | Self::Empty(_)
            | Self::Sign(_)
            | Self::TooLarge { .. } => ErrorKind::Unsupported,
        }
    }
}
