//! Errors of this stage.

use std::path::PathBuf;

use super::TensorError;
use crate::ErrorKind;
use crate::onnx::OnnxError;

/// Why a model could not be run, or did not give what it should.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A local file could not be read or written.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// No library was found.
    #[error(
        "ONNX Runtime was not found beside the executable, in `$VIRTUAL_ENV`, `.venv`, \
         `$CONDA_PREFIX` or the first `python3` on PATH: install it with \
         `python3 -m venv .venv && .venv/bin/pip install onnxruntime`, or name its library with \
         `--ort-lib`"
    )]
    NoLibrary,
    /// The only library found is part of the model that is to be run.
    #[error(
        "`{}` is inside the model's folder: libraries of a model are never loaded; install ONNX \
         Runtime elsewhere, or name its library with `--ort-lib`",
        path.display()
    )]
    LibraryInModel {
        /// The library.
        path: PathBuf,
    },
    /// A library that cannot be used.
    #[error("`{}`: {reason}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model that was refused before ONNX Runtime saw it.
    #[error("`{graph}`: {fault}")]
    Refused {
        /// The path of the graph.
        graph: String,
        /// What is wrong with it.
        fault: OnnxError,
    },
    /// ONNX Runtime does not load the model, or fails while it runs it.
    #[error("`{graph}`: ONNX Runtime {does}: {message}")]
    Runtime {
        /// The path of the graph.
        graph: String,
        /// What it does: `does not load it`, `failed`.
        does: &'static str,
        /// Its own message.
        message: String,
    },
    /// A graph that is not there, or one of several that must be chosen.
    #[error("{wanted}: {}", match known.as_slice() {
        [] => "the model has no ONNX graph".to_owned(),
        known => format!("choose one with `--graph`: `{}`", known.join("`, `")),
    })]
    Graph {
        /// What was asked for.
        wanted: String,
        /// The graphs of the model.
        known: Vec<String>,
    },
    /// An input, an output or an option that does not fit the graph.
    #[error("`{graph}`: {what}")]
    Interface {
        /// The path of the graph.
        graph: String,
        /// What does not fit, with the remedy.
        what: String,
    },
    /// A tensor file or value that cannot be used.
    #[error("`{place}`: {fault}")]
    Tensor {
        /// The file, input or output.
        place: String,
        /// What is wrong with it.
        fault: TensorError,
    },
    /// Outputs that are not what the artifact says.
    #[error("{failed} of {total} outputs differ from the stored ones")]
    Different {
        /// How many outputs differ.
        failed: usize,
        /// How many were compared.
        total: usize,
    },
    /// The worker process did not end by itself.
    #[error("ONNX Runtime {0}")]
    Worker(String),
}

impl RunError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. } => ErrorKind::Io,
            Self::NoLibrary => ErrorKind::NotFound,
            Self::LibraryInModel { .. } => ErrorKind::Denied,
            Self::Refused { fault, .. } => fault.kind(),
            Self::Graph { .. } | Self::Interface { .. } => ErrorKind::Usage,
            Self::Tensor { .. } => ErrorKind::Unsupported,
            Self::Different { .. } => ErrorKind::Mismatch,
            Self::Library { .. } | Self::Runtime { .. } | Self::Worker(_) => ErrorKind::Failed,
        }
    }
}
