//! Errors of this stage.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialError;
use super::failure::{Asked, Effort, LARGER_BODIES, Rejection, RequestLine};
use crate::ErrorKind;
use crate::oci::{Digest, OciError};

pub use faults::{ConnectionFault, ContentFault, Distrust, ProtocolFault};

mod faults;

/// Why a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A local file could not be read or written.
    #[error("`{}`: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// An option, or a reference, cannot be used.
    #[error("{subject}: {reason}")]
    Unusable {
        /// What was given.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Credentials could not be found out, stored or erased.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The server answered, but not as asked.
    #[error("{request} failed: {rejection}{effort}")]
    Rejected {
        /// What was asked.
        request: RequestLine,
        /// What it answered.
        rejection: Box<Rejection>,
        /// What it took to find out.
        effort: Effort,
    },
    /// The server did not answer, or not to the end.
    #[error("{request} failed: {fault}{effort}")]
    Connection {
        /// What was asked.
        request: RequestLine,
        /// What happened.
        fault: ConnectionFault,
        /// What it took to find out.
        effort: Effort,
    },
    /// The server sent us where we do not go.
    #[error("{request}: {reason}")]
    Distrusted {
        /// What was asked.
        request: RequestLine,
        /// Where, and why not.
        reason: Distrust,
    },
    /// The server broke the rules of HTTP or of the distribution specification.
    #[error("{request}: the registry {fault}")]
    Protocol {
        /// What was asked.
        request: RequestLine,
        /// Which rule.
        fault: ProtocolFault,
    },
    /// The server sent, or keeps, something else than it was asked for.
    #[error("{request}: {fault}")]
    Content {
        /// What was asked.
        request: RequestLine,
        /// What differs.
        fault: ContentFault,
    },
    /// The server sent a document that is refused.
    #[error("{request}: {cause}")]
    Document {
        /// What was asked.
        request: RequestLine,
        /// Why it is refused.
        cause: OciError,
    },
    /// The token server of a registry gave no token.
    #[error("no token for `{registry}`: {cause}")]
    Token {
        /// The registry.
        registry: String,
        /// Why.
        cause: Box<TransportError>,
    },
    /// The registry does not delete tags, or not this one.
    #[error("the registry does not remove tag `{tag}` alone: {cause}")]
    TagStays {
        /// The tag.
        tag: String,
        /// What it answered.
        cause: Box<TransportError>,
    },
    /// A blob is larger than what is accepted at once, and so are its parts.
    #[error(
        "cannot push blob `{blob}`: the registry, or a proxy before it, takes no body of {limit} bytes: {cause}"
    )]
    BodyLimit {
        /// The blob.
        blob: Digest,
        /// The shortest body that was refused, in bytes.
        limit: u64,
        /// What it answered.
        cause: Box<TransportError>,
    },
    /// The content to push could not be read, or is not what it was said to be.
    #[error("cannot push blob `{blob}` to `{registry}`: {cause}")]
    Source {
        /// The blob.
        blob: Digest,
        /// The registry that it was to go to.
        registry: String,
        /// Why.
        cause: io::Error,
    },
}

impl TransportError {
    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Io,
            Self::Unusable { .. } => ErrorKind::Usage,
            Self::Credential(error) => error.kind(),
            Self::Rejected { rejection, .. } => rejection.kind(),
            Self::Connection { fault, .. } => match fault {
                ConnectionFault::Tls(_) | ConnectionFault::NotHttp => ErrorKind::Failed,
                _ => ErrorKind::Unavailable,
            },
            Self::Distrusted { .. } | Self::TagStays { .. } => ErrorKind::Unsupported,
            Self::Protocol { .. } | Self::BodyLimit { .. } => ErrorKind::Unsupported,
            Self::Content { .. } => ErrorKind::Mismatch,
            Self::Document { cause, .. } => cause.kind(),
            Self::Token { cause, .. } => match cause.status() {
                Some(400..=404) => ErrorKind::Denied,
                _ => cause.kind(),
            },
            Self::Source { cause, .. } => match cause.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ErrorKind::Mismatch,
                _ => ErrorKind::Io,
            },
        }
    }

    /// The same error, with what it took to find out.
    pub(crate) fn after(mut self, spent: Effort) -> Self {
        let mut error = &mut self;
        while let Self::Token { cause, .. } = error {
            error = cause;
        }
        if let Self::Rejected { effort, .. } | Self::Connection { effort, .. } = error {
            *effort = spent;
        }
        self
    }

    /// The same error, of which it is known what was asked.
    pub(crate) fn to(self, asked: Asked) -> Self {
        match self {
            Self::Rejected {
                request,
                rejection,
                effort,
            } => Self::Rejected {
                request,
                rejection: Box::new(rejection.to(asked)),
                effort,
            },
            other => other,
        }
    }

    /// What to do next, where the kind alone does not tell.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Rejected { rejection, .. } => rejection.remedy(),
            Self::BodyLimit { .. } => Some(LARGER_BODIES),
            Self::Connection { fault, .. } => fault.remedy(),
            Self::Token { cause, .. } | Self::TagStays { cause, .. } => cause.remedy(),
            _ => None,
        }
    }

    /// What the registry answered, if that is what failed.
    pub(crate) fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected { rejection, .. } => Some(rejection),
            _ => None,
        }
    }

    /// The blob without which the registry did not take a manifest, if it says which.
    pub(crate) fn missing_blob(&self) -> Option<Digest> {
        match self {
            Self::Rejected {
                request, rejection, ..
            } if request.stores_manifest() => rejection.missing_blob(),
            _ => None,
        }
    }

    /// The status of the registry's answer, if that is what failed.
    pub(crate) fn status(&self) -> Option<u16> {
        self.rejection().map(Rejection::status)
    }

    /// How long the server, or its token server, asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token { cause, .. } => cause.retry_after(),
            _ => self.rejection().and_then(Rejection::retry_after),
        }
    }
}
