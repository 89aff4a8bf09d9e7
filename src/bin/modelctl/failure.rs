//! What ends a command early, and how it is shown: once, here.
//!
//! [`Failure`] → text on stderr (`error:`, `caused by:`, a blank line, `hint:`) or, with `--json`,
//! one object; and an exit code. The library's errors keep their text; what to do next depends on
//! the command, so hints live in [`crate::hint`].

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use modelctl::gate::Verdict;
use modelctl::oci::{Digest, OciError, Place, PlaceError, Reference};
use modelctl::registry::RegistryError;
use modelctl::run::RunError;
use modelctl::store::StoreError;
use modelctl::transport::TransportError;
use modelctl::trust::TrustError;
use modelctl::{Error, ErrorKind};
use serde::Serialize;

use crate::exit;
use crate::output::{Label, Output};
use crate::signal::Signal;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The library failed.
    #[error(transparent)]
    Library(#[from] modelctl::Error),
    /// A reference names no registry, and there is no default.
    #[error("`{0}` names no registry, and no default registry is set")]
    NoRegistry(Reference),
    /// A reference has neither tag nor digest where one is needed.
    #[error("`{0}` has neither a tag nor a digest")]
    NoTag(Reference),
    /// A name to be given has another digest in it.
    #[error("`{name}` names another digest than that of the artifact, `{digest}`")]
    OtherDigest {
        /// The name.
        name: Reference,
        /// The digest of the artifact.
        digest: Digest,
    },
    /// A text names no place.
    #[error(transparent)]
    Place(PlaceError),
    /// A command cannot use this kind of place.
    #[error("expected {expected}, got `{place}`")]
    WrongPlace {
        /// What was given.
        place: Place,
        /// What the command takes.
        expected: &'static str,
    },
    /// An archive was to be changed.
    #[error("`{0}` is read-only: an archive is written once, by `cp`")]
    ReadOnly(String),
    /// A user name is needed.
    #[error("no user name was given")]
    NoUsername,
    /// A password is needed, and there is no terminal to ask at.
    #[error("no password was given")]
    NoPassword,
    /// A passphrase is needed, and there is no terminal to ask at.
    #[error("no passphrase was given")]
    NoPassphrase,
    /// What was typed the second time is something else.
    #[error("the passphrases differ")]
    PassphrasesDiffer,
    /// Blobs that entries need are not there. They are in the report already.
    #[error("{0} blobs are missing")]
    Missing(usize),
    /// Several things that were named do not exist; the others were dealt with.
    #[error("not found: `{}`", .0.join("`, `"))]
    Absent(Vec<String>),
    /// Neither a flag nor the environment says where something is.
    #[error("cannot tell where {0} is: neither HOME nor XDG_DATA_HOME is set")]
    NoHome(&'static str),
    /// A local file could not be used.
    #[error("`{}`: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A server would be reachable from other machines, and nobody said that it may.
    #[error("`{0}` is not a loopback address: whoever reaches it could read and replace models")]
    Exposed(std::net::SocketAddr),
    /// A server cannot listen where it should.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// An option's value does not fit the others.
    #[error("{option}: {reason}")]
    Option {
        /// The option as it is written.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Checks were carried out, and some failed. They are in the report already.
    #[error("{failed} of {total} checks failed")]
    Findings {
        /// How many failed.
        failed: usize,
        /// How many there were.
        total: usize,
    },
    /// Two things that were compared are different. How is in the report already.
    #[error("they differ")]
    Differs,
    /// The gate does not let it through. The checks are shown already.
    #[error("`{name}` may not be deployed: {reason}")]
    Refused {
        /// What was asked for.
        name: String,
        /// Whether that is certain.
        verdict: Verdict,
        /// The first check that stands in the way.
        reason: String,
    },
    /// A worker failed, and has said why.
    #[error("the worker failed with exit code {0}")]
    Worker(u8),
    /// Standard output or standard error cannot be written.
    #[error("cannot write output: {0}")]
    Output(#[source] io::Error),
    /// A signal came.
    #[error("interrupted")]
    Interrupted(Signal),
}

impl Failure {
    /// Names the file or folder of an I/O error: `.map_err(Failure::file(path))`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}

impl From<OciError> for Failure {
    fn from(error: OciError) -> Self {
        Self::Library(error.into())
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Library(error.into())
    }
}

impl From<io::Error> for Failure {
    /// The only I/O that a command does itself is its output.
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// A failure as one JSON object on stderr.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    caused_by: Vec<String>,
    code: &'static str,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Failure {
    /// What a caller can do about it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Library(
                Error::Transport(TransportError::Io { cause, .. })
                | Error::Registry(RegistryError::Io { cause, .. }),
            ) if cause.kind() == io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Library(error) => error.kind(),
            Self::NoRegistry(_)
            | Self::NoTag(_)
            | Self::Place(_)
            | Self::ReadOnly(_)
            | Self::NoUsername
            | Self::NoPassword
            | Self::NoPassphrase
            | Self::PassphrasesDiffer
            | Self::OtherDigest { .. }
            | Self::WrongPlace { .. }
            | Self::NoHome(_)
            | Self::Exposed(_)
            | Self::Option { .. } => ErrorKind::Usage,
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Absent(_) => ErrorKind::NotFound,
            Self::Refused { verdict, .. } => match verdict {
                Verdict::Unavailable => ErrorKind::Unavailable,
                Verdict::Inconclusive => ErrorKind::Inconclusive,
                Verdict::Refused | Verdict::Allowed => ErrorKind::Mismatch,
            },
            Self::Findings { .. } | Self::Missing(_) => ErrorKind::Mismatch,
            Self::File { .. } | Self::Listen { .. } | Self::Output(_) => ErrorKind::Io,
            Self::Interrupted(_) | Self::Worker(_) | Self::Differs => ErrorKind::Failed,
        }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted(Signal::Interrupt) => exit::INTERRUPTED,
            Self::Interrupted(Signal::Terminate) => exit::TERMINATED,
            Self::Worker(code) => *code,
            Self::Differs => exit::DIFFERS,
            other => exit::code(other.kind()),
        }
    }

    /// The word that `--json` gives for it.
    fn code(&self) -> &'static str {
        match (self, self.kind()) {
            (Self::Interrupted(_), _) => "interrupted",
            (Self::Refused { .. }, ErrorKind::Mismatch) => "refused",
            (Self::Library(Error::Trust(TrustError::Distrust(distrust))), _) => distrust.code(),
            (Self::Library(Error::Run(RunError::Different { .. })), _) => "output-differs",
            (_, ErrorKind::Usage) => "usage",
            (_, ErrorKind::NotFound) => "not-found",
            (_, ErrorKind::Denied) => "denied",
            (_, ErrorKind::Mismatch) => "mismatch",
            (_, ErrorKind::Unsupported) => "unsupported",
            (_, ErrorKind::Unavailable) => "unavailable",
            (_, ErrorKind::Inconclusive) => "inconclusive",
            (_, ErrorKind::Io) => "io",
            _ => "failed",
        }
    }

    /// The causes, outermost first, without those whose text the one before ends with.
    fn causes(&self) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            let (text, before) = (cause.to_string(), causes.last());
            if !before.unwrap_or(&self.to_string()).ends_with(&text) {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }

    /// Shows it, unless it was said already.
    pub(crate) fn show(&self, hint: Option<String>, output: &mut Output) -> io::Result<()> {
        if matches!(self, Self::Worker(_) | Self::Differs) {
            return Ok(());
        }
        if output.style().json {
            let object = Object {
                error: self.to_string(),
                caused_by: self.causes(),
                code: self.code(),
                exit_code: self.exit_code(),
                hint,
            };
            return output.line(&serde_json::to_string(&object)?);
        }
        output.labelled(Label::Error, &self.to_string())?;
        for cause in self.causes() {
            output.line(&format!("  caused by: {cause}"))?;
        }
        if let Some(hint) = hint {
            output.line("")?;
            output.labelled(Label::Hint, &hint)?;
        }
        Ok(())
    }
}
