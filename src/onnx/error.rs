//! Errors of this stage.

use std::io;

use super::fault::{FileFault, TensorFault};
use crate::ErrorKind;

/// Why an ONNX file was refused.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The model file could not be read; only the caller knows its name.
    #[error("the model cannot be read: {0}")]
    Read(io::Error),
    /// The rewritten model could not be written.
    #[error("the rewritten model cannot be written: {0}")]
    Write(io::Error),
    /// The file is something else.
    #[error("this is {0}")]
    NotModel(&'static str),
    /// The bytes are no ONNX model.
    #[error("no valid ONNX at byte {offset}: {reason}")]
    Malformed {
        /// Where, in bytes from the beginning of the file.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The model is beyond a limit of this reader.
    #[error("the model has {0}, which is beyond the limit")]
    Limit(&'static str),
    /// A tensor was refused.
    #[error("{tensor}: {fault}")]
    Tensor {
        /// What it is and its name: "initializer `W`".
        tensor: String,
        /// What is wrong with it.
        fault: TensorFault,
    },
    /// A file of external data was refused.
    #[error("external data `{location}` {fault}")]
    External {
        /// Its path, from the model's folder.
        location: String,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// The model uses an operator that is not run.
    #[error("operator `{operator}` of domain `{domain}` {reason}")]
    Operator {
        /// Its type.
        operator: String,
        /// Its domain.
        domain: String,
        /// Why not.
        reason: &'static str,
    },
    /// The model's metadata would configure the session that runs it.
    #[error("metadata entry `{0}` would configure ONNX Runtime: remove it from the model")]
    SessionConfig(String),
}

impl OnnxError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Read(_) | Self::Write(_) => ErrorKind::Io,
            Self::External { fault, .. } => fault.kind(),
            Self::Tensor { fault, .. } => fault.kind(),
            Self::NotModel(_)
            | Self::Malformed { .. }
            | Self::Limit(_)
            | Self::Operator { .. }
            | Self::SessionConfig(_) => ErrorKind::Unsupported,
        }
    }

    pub(crate) fn malformed(offset: u64, reason: &'static str) -> Self {
        Self::Malformed { offset, reason }
    }
}
