//! One error for the whole library: a variant for each stage, and a kind that says what to do.

use crate::{
    materialise, model, oci, onnx, pack, plan, registry, run, seed, store, transfer, transport,
    trust, verify,
};

/// A result of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any error of the library.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name or document of the OCI vocabulary was refused.
    #[error(transparent)]
    Oci(#[from] oci::OciError),
    /// A model's files or its manifest were refused.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// An ONNX file was refused.
    #[error(transparent)]
    Onnx(#[from] onnx::OnnxError),
    /// An artifact could not be planned.
    #[error(transparent)]
    Plan(#[from] plan::PlanError),
    /// An artifact could not be packed.
    #[error(transparent)]
    Pack(#[from] pack::PackError),
    /// A local store failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A registry failed.
    #[error(transparent)]
    Transport(#[from] transport::TransportError),
    /// A copy failed.
    #[error(transparent)]
    Transfer(#[from] transfer::TransferError),
    /// A folder is no seed.
    #[error(transparent)]
    Seed(#[from] seed::SeedError),
    /// Files could not be written.
    #[error(transparent)]
    Materialise(#[from] materialise::MaterialiseError),
    /// A verification could not be carried out.
    #[error(transparent)]
    Verify(#[from] verify::VerifyError),
    /// Something could not be signed, or was not trusted.
    #[error(transparent)]
    Trust(#[from] trust::TrustError),
    /// A model could not be run.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The embedded registry failed.
    #[error(transparent)]
    Registry(#[from] registry::RegistryError),
}

/// What a caller can do about an error. The binary turns it into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request itself is wrong.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// Credentials are missing or not enough.
    Denied,
    /// Content is not what was promised: nothing of it may be used.
    Mismatch,
    /// The input is of a kind that is not supported, or malformed.
    Unsupported,
    /// A remote side is away, after retries.
    Unavailable,
    /// It cannot be said.
    Inconclusive,
    /// The local machine failed: disk, permissions.
    Io,
    /// Anything else that failed, such as a model that does not run.
    Failed,
}

impl ErrorKind {
    /// Whether trying again later can help; the only input to retry.
    pub fn is_transient(self) -> bool {
        self == Self::Unavailable
    }
}

impl Error {
    /// The blob that a registry lacks, if that is why it did not take a manifest: it may have lost
    /// it since it was asked, or not yet know it everywhere. Pushing that blob again can help.
    pub fn missing_blob(&self) -> Option<oci::Digest> {
        match self {
            Self::Transport(error) => error.missing_blob(),
            Self::Transfer(error) => error.missing_blob(),
            _ => None,
        }
    }

    /// What to do next, where the kind alone does not tell and the registry's answer does.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Transport(error) => error.remedy(),
            Self::Transfer(error) => error.remedy(),
            Self::Pack(error) => error.remedy(),
            _ => None,
        }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Oci(error) => error.kind(),
            Self::Model(error) => error.kind(),
            Self::Onnx(error) => error.kind(),
            Self::Plan(error) => error.kind(),
            Self::Pack(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Transport(error) => error.kind(),
            Self::Transfer(error) => error.kind(),
            Self::Seed(error) => error.kind(),
            Self::Materialise(error) => error.kind(),
            Self::Verify(error) => error.kind(),
            Self::Trust(error) => error.kind(),
            Self::Run(error) => error.kind(),
            Self::Registry(error) => error.kind(),
        }
    }
}
