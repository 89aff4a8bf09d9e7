//! What to do next, by failure and command. The library's errors say what is wrong; only here is
//! known what the user typed.

use std::path::Path;

use modelctl::oci::Reference;
use modelctl::store::StoreError;
use modelctl::transport::TransportError;
use modelctl::trust::check::Distrust;
use modelctl::trust::{KeyError, TrustError};
use modelctl::{Error, ErrorKind};

use crate::failure::Failure;

const PASSPHRASE: &str =
    "give `--passphrase-fd FD`, or set COSIGN_PASSWORD or MODELCTL_KEY_PASSWORD";
const LOST: &str = "signatures beside an artifact are lost where it is copied without its referrers: `modelctl cp` brings them along, and `pack --sign-key` puts one into the artifact";
const KEPT: &str = "what has arrived is kept: run the same command again to go on";

/// What the user typed, as far as it decides what to do next.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// The name of the command.
    pub(crate) name: String,
    /// Whether it goes on where it stopped when it is repeated.
    pub(crate) is_resumed: bool,
}

/// The hint for a failure of a command, if there is something to say.
pub(crate) fn of(failure: &Failure, typed: &Typed) -> Option<String> {
    match failure {
        Failure::Interrupted(_) if typed.is_resumed => Some(KEPT.to_owned()),
        Failure::NoRegistry(reference) if exists(reference) => {
            Some(format!("a file or folder here is `./{reference}`"))
        }
        Failure::NoRegistry(reference) => Some(format!(
            "name one, as in `registry.example/{reference}`, or set a default with `--registry` or MODELCTL_REGISTRY; an entry of the local store is `store:{reference}`"
        )),
        Failure::NoTag(name) => Some(format!("name a tag, as in `{name}:latest`")),
        Failure::NoUsername => Some("give `--username NAME`".to_owned()),
        Failure::NoPassword => Some("give `--password-stdin`, or set MODELCTL_PASSWORD".to_owned()),
        Failure::NoPassphrase => Some(PASSPHRASE.to_owned()),
        Failure::Library(Error::Trust(TrustError::Key { cause: KeyError::Sealed, .. })) => {
            Some(PASSPHRASE.to_owned())
        }
        Failure::Library(Error::Trust(TrustError::Distrust(Distrust::Missing { .. }))) => {
            Some(LOST.to_owned())
        }
        Failure::NoHome(_) => Some("give `--store DIR` or set MODELCTL_STORE".to_owned()),
        Failure::Exposed(_) => Some(
            "name who may with `--htpasswd FILE`, encrypt with `--tls-cert` and `--tls-key`, and give `--allow-remote`"
                .to_owned(),
        ),
        Failure::Library(Error::Store(StoreError::Mismatch { .. } | StoreError::Size { .. })) => {
            Some("if it came from the local store, `modelctl repair` takes it out".to_owned())
        }
        Failure::Library(Error::Transport(TransportError::TagStays { .. })) => Some(
            "`modelctl rm REPOSITORY@DIGEST` removes the artifact with all its tags, where the registry allows that"
                .to_owned(),
        ),
        Failure::Library(
            error @ (Error::Transport(_) | Error::Store(_) | Error::Transfer(_) | Error::Pack(_)),
        ) => {
            let is_pack = matches!(error, Error::Pack(_));
            // Files that are not found are no entries of the store.
            let is_known = |kind: &ErrorKind| !(is_pack && *kind == ErrorKind::NotFound);
            let kind = Some(error.kind()).filter(is_known);
            let by_kind = || by_kind(kind?, typed);
            error.remedy().or_else(by_kind).map(str::to_owned)
        }
        _ => None,
    }
}

/// Whether what reads as a reference is the name of something in the current folder.
fn exists(reference: &Reference) -> bool {
    Path::new(&reference.to_string()).exists()
}

fn by_kind(kind: ErrorKind, typed: &Typed) -> Option<&'static str> {
    match (kind, typed.name.as_str()) {
        (ErrorKind::Unavailable, _) if typed.is_resumed => Some(KEPT),
        (ErrorKind::Denied, "login") => Some("check the user name and the password"),
        (ErrorKind::Denied, _) => Some("log in with `modelctl login REGISTRY`"),
        (ErrorKind::NotFound, "push") => {
            Some("`modelctl ls` lists what is in the store; `modelctl pack PATH -t REF` adds to it")
        }
        (
            ErrorKind::NotFound,
            "pull" | "inspect" | "diff" | "verify" | "run" | "cp" | "sign" | "attest",
        ) => Some("`modelctl ls REGISTRY/REPOSITORY` lists tags, `modelctl ls` the local store"),
        _ => None,
    }
}
