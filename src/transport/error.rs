//! Errors of this stage.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::CredentialError;
use super::failure::{Asked, Effort, LARGER_BODIES, Rejection, RequestLine};
use crate::ErrorKind;
use crate::oci::{Digest, OciError};

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

/// How a connection failed. The texts are those of the system, without URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionFault {
    /// The host was not found or did not accept the connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server's certificate was not accepted, or it asked for one of ours.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// A short document took too long.
    #[error("the answer did not come within {} s", .0.as_secs())]
    Slow(Duration),
    /// Less moved than a connection that works would move.
    #[error("only {bytes} bytes came within {} s", .within.as_secs())]
    Trickled {
        /// How many bytes came.
        bytes: u64,
        /// In this time.
        within: Duration,
    },
    /// Nothing moved for too long.
    #[error("nothing moved for {} s", .0.as_secs())]
    Stalled(Duration),
}

/// Why we do not go where a server sent us. The hosts are shown without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// From HTTPS to plain HTTP.
    #[error("refusing to downgrade to plain HTTP at `{0}`")]
    Downgrade(String),
    /// Further inside the network than the registry is.
    #[error("refusing to go to the internal address `{0}`")]
    Inward(String),
    /// To something that is not a web server.
    #[error("refusing to go to `{0}`: only http and https are followed")]
    Scheme(String),
    /// To a URL that has a user in it.
    #[error("refusing to go to `{0}` with the user name in the URL")]
    User(String),
    /// Round and round.
    #[error("sent in a circle, back to `{0}`")]
    Circle(String),
    /// On and on.
    #[error("redirected more than {0} times")]
    TooManyHops(usize),
    /// To a token server whose URL is none.
    #[error("the token server's URL is invalid: {0}")]
    Realm(String),
    /// From a token server to elsewhere.
    #[error("refusing to follow a token server's redirect to `{0}`")]
    TokenRedirect(String),
    /// To another host for the next page of a list.
    #[error("refusing to follow the next page of a list to `{0}`")]
    Page(String),
}

/// Which rule a server broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// The answer has no `Location`.
    #[error("answered without a `Location`")]
    NoLocation,
    /// An upload was answered with a success that is none.
    #[error("answered the upload with {0} and does not have the blob")]
    NotStored(u16),
    /// A header is not what it must be.
    #[error("sent an invalid `{name}` header: {value:?}")]
    Header {
        /// Its name.
        name: &'static str,
        /// The start of its value.
        value: String,
    },
    /// An answer is longer than anyone needs.
    #[error("sent a {what} larger than {limit} bytes")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// An answer is not the JSON document that it must be.
    #[error("sent a malformed {what}: {reason}")]
    Malformed {
        /// What it must be.
        what: &'static str,
        /// Why it is none.
        reason: String,
    },
    /// The part of a blob that was sent is another than was asked for.
    #[error("sent the range {actual:?}, expected `{expected}`")]
    Range {
        /// What was asked for.
        expected: String,
        /// The `Content-Range`.
        actual: String,
    },
    /// The answer is a page for a browser, as the login pages of networks and proxies are.
    #[error("answered with a page of type `text/html`, expected {expected}; is it a login page?")]
    Page {
        /// What was asked for.
        expected: String,
    },
    /// The blob was encoded although only the bytes themselves were asked for.
    #[error("sent the content encoded as {0:?}, expected the bytes themselves")]
    Encoding(String),
    /// A list has no end.
    #[error("returned more than {0} pages")]
    TooManyPages(usize),
    /// A list is longer than anyone needs.
    #[error("returned more than {0} items")]
    TooManyItems(usize),
    /// Every update of a shared tag was overwritten by somebody else.
    #[error("lost {0} updates of the referrers tag to other writers")]
    LostUpdates(u32),
}

/// What differs from what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentFault {
    /// The bytes have another digest.
    #[error("digest mismatch: expected `{expected}`, got `{actual}`")]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The bytes have another digest than the server says.
    #[error("the registry announced `{announced}` and sent `{actual}`")]
    Announced {
        /// `Docker-Content-Digest`.
        announced: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The length is another.
    #[error("size mismatch: expected {expected} bytes, got {actual}")]
    Size {
        /// What was asked for, in bytes.
        expected: u64,
        /// What was sent or announced, in bytes.
        actual: u64,
    },
    /// The manifest that was sent is not the one that is kept.
    #[error("registry stored a different manifest: expected `{expected}`, got `{actual}`")]
    Stored {
        /// What was sent.
        expected: Digest,
        /// What the registry says it keeps.
        actual: String,
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
                ConnectionFault::Tls(_) => ErrorKind::Failed,
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
