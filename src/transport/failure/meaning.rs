//! The table of refusals: the only place that knows statuses.
//!
//! A status alone says little: registries use 400, 403, 405, 409, 412 and 413 for the same things. So
//! first what was asked, the codes and the words are looked at, then the status.

use super::asked::{Account, Asked, ManifestPut};
use super::rejection::Rejection;
use super::words::cleaned;
use crate::ErrorKind;
use crate::oci::registry_error::ErrorCode;

/// What a refusal means.
pub(super) struct Meaning {
    pub(super) kind: ErrorKind,
    pub(super) sentence: String,
    /// What to do about it, where that is not to be seen from the kind.
    pub(super) remedy: Option<&'static str>,
}

const LARGER_MANIFESTS: &str = "registries accept manifests of 4 MiB; a proxy before it must allow that, too (nginx: `client_max_body_size`)";
const MEDIA_TYPES: &str = "ask whoever runs the registry to allow these media types (Quay: ALLOWED_OCI_ARTIFACT_TYPES), or use a registry that follows OCI 1.1";
const OTHER_TAG: &str = "push under another tag, or by digest";
const VALID_TAG: &str = "choose another tag; the registry may have rules for them";
const LARGER_QUOTA: &str = "remove what is not needed at the registry, or ask for a larger quota";
const READ_ONLY: &str = "try again when the registry takes changes, or push to another";
const ACCESS: &str =
    "ask for push access, or log in as somebody who has it with `modelctl login REGISTRY`";
/// What helps against a limit of bodies.
pub(crate) const LARGER_BODIES: &str =
    "the proxy before the registry must allow longer bodies (nginx: `client_max_body_size`)";

/// What a refusal means to whoever asked.
pub(super) fn of(rejection: &Rejection, asked: Option<&Asked>) -> Meaning {
    let known = asked.and_then(|asked| {
        let put = asked.manifest.as_ref();
        of_quota(rejection, asked)
            .or_else(|| of_manifest(rejection, put?))
            .or_else(|| of_denial(rejection, asked))
            .or_else(|| of_read_only(rejection, asked))
    });
    known.unwrap_or_else(|| {
        let (kind, sentence) = of_status(rejection.status());
        let is_long = rejection.status() == 413;
        meaning(
            of_codes(rejection).unwrap_or(kind),
            sentence.to_owned(),
            is_long.then_some(LARGER_BODIES),
        )
    })
}

fn meaning(kind: ErrorKind, sentence: String, remedy: Option<&'static str>) -> Meaning {
    Meaning {
        kind,
        sentence,
        remedy,
    }
}

/// What the codes of the specification say where 400 is the status of everything.
fn of_codes(rejection: &Rejection) -> Option<ErrorKind> {
    let has = |code| rejection.status() == 400 && rejection.has_code(&code);
    if has(ErrorCode::DigestInvalid) || has(ErrorCode::SizeInvalid) {
        Some(ErrorKind::Mismatch)
    } else if has(ErrorCode::Denied) || has(ErrorCode::Unauthorized) {
        Some(ErrorKind::Denied)
    } else if has(ErrorCode::Toomanyrequests) {
        Some(ErrorKind::Unavailable)
    } else {
        None
    }
}

/// A full registry.
fn of_quota(rejection: &Rejection, asked: &Asked) -> Option<Meaning> {
    let is_full = match rejection.status() {
        507 => true,
        400 | 403 | 412 | 413 => rejection.says(&["quota"]),
        _ => false,
    };
    (is_full && asked.writes).then(|| {
        let sentence = format!("no space is left for repository `{}`", asked.repository);
        meaning(ErrorKind::Failed, sentence, Some(LARGER_QUOTA))
    })
}

/// Who may not do what.
fn of_denial(rejection: &Rejection, asked: &Asked) -> Option<Meaning> {
    let (status, name) = (rejection.status(), &asked.repository);
    let is_denied = status == 403 || of_codes(rejection) == Some(ErrorKind::Denied);
    let (sentence, remedy) = match (status, &asked.account) {
        (401, Account::Anonymous) => ("credentials are missing".to_owned(), None),
        (401, Account::User(name)) => (
            format!(
                "the credentials of user `{}` were not accepted",
                cleaned(name)
            ),
            None,
        ),
        (401, Account::Token) => ("the identity token was not accepted".to_owned(), None),
        _ if !is_denied || name.is_empty() => return None,
        (_, account) => {
            let access = if asked.writes { "push" } else { "pull" };
            let is_known = asked.writes && *account != Account::Anonymous;
            (
                format!("no {access} access to repository `{name}` {account}"),
                is_known.then_some(ACCESS),
            )
        }
    };
    Some(meaning(ErrorKind::Denied, sentence, remedy))
}

/// Why a manifest was not taken.
fn of_manifest(rejection: &Rejection, put: &ManifestPut) -> Option<Meaning> {
    let has = |code| rejection.has_code(&code);
    let is_kept = rejection.says(&["immutab", "already exist", "overwrit"]);
    let tag = put.tag.as_deref();
    let (kind, sentence, remedy) = match (rejection.status(), tag) {
        (413, _) => {
            let sentence = format!(
                "the manifest of {} bytes is larger than what is accepted",
                put.size
            );
            (ErrorKind::Unsupported, sentence, LARGER_MANIFESTS)
        }
        (409 | 412, Some(tag)) => immutable(tag),
        (400 | 403, Some(tag)) if is_kept => immutable(tag),
        (400, Some(tag)) if has(ErrorCode::TagInvalid) => (
            ErrorKind::Usage,
            format!("tag `{tag}` is not accepted"),
            VALID_TAG,
        ),
        (406 | 415, _) => refused_types(put),
        (400, _) if has(ErrorCode::BlobUnknown) || has(ErrorCode::ManifestBlobUnknown) => {
            return None;
        }
        (400, _) if has(ErrorCode::ManifestInvalid) || has(ErrorCode::Unsupported) => {
            refused_types(put)
        }
        (400, _) if rejection.says(&["media type", "mediatype", "media_type", "config"]) => {
            refused_types(put)
        }
        _ => return None,
    };
    Some(meaning(kind, sentence, Some(remedy)))
}

fn immutable(tag: &str) -> (ErrorKind, String, &'static str) {
    let sentence = format!("tag `{tag}` cannot be replaced: the registry keeps it as it is");
    (ErrorKind::Failed, sentence, OTHER_TAG)
}

fn refused_types(put: &ManifestPut) -> (ErrorKind, String, &'static str) {
    let sentence = format!(
        "the registry takes no manifest of the media types {}",
        put.types()
    );
    (ErrorKind::Unsupported, sentence, MEDIA_TYPES)
}

/// A registry that takes no changes at the time. It says so when something is to be stored; what
/// cannot be deleted is another matter.
fn of_read_only(rejection: &Rejection, asked: &Asked) -> Option<Meaning> {
    (rejection.status() == 405 && asked.stores).then(|| {
        let sentence = "the registry, or this repository, is read-only".to_owned();
        meaning(ErrorKind::Unsupported, sentence, Some(READ_ONLY))
    })
}

/// What each status means to a client of a registry.
fn of_status(status: u16) -> (ErrorKind, &'static str) {
    match status {
        200..=299 => (ErrorKind::Unsupported, "unexpected success"),
        300..=399 => (ErrorKind::Unsupported, "unexpected redirect"),
        401 => (
            ErrorKind::Denied,
            "credentials are missing or were not accepted",
        ),
        402 => (ErrorKind::Denied, "the registry asks for payment"),
        403 => (ErrorKind::Denied, "access is denied"),
        404 | 410 => (ErrorKind::NotFound, "not found"),
        405 => (
            ErrorKind::Unsupported,
            "not allowed by this registry, or it is read-only",
        ),
        406 | 415 => (ErrorKind::Unsupported, "the media type is not accepted"),
        409 | 412 => (
            ErrorKind::Failed,
            "in conflict with what is there; the tag may be immutable",
        ),
        413 => (
            ErrorKind::Unsupported,
            "larger than the registry, or a proxy before it, accepts",
        ),
        416 => (ErrorKind::Failed, "the registry does not accept this range"),
        429 => (ErrorKind::Unavailable, "rate limited"),
        431 => (
            ErrorKind::Unsupported,
            "the request's headers are larger than accepted",
        ),
        451 => (ErrorKind::Denied, "withheld for legal reasons"),
        408 | 425 | 499 => (ErrorKind::Unavailable, "the registry asks to try again"),
        501 | 505 => (ErrorKind::Unsupported, "not supported by this registry"),
        507 => (ErrorKind::Failed, "the registry has no space left"),
        503 => (
            ErrorKind::Unavailable,
            "the registry is overloaded or under maintenance",
        ),
        500..=599 => (ErrorKind::Unavailable, "the registry failed"),
        _ => (ErrorKind::Failed, "the registry refused"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quirk Q43.
    #[test]
    fn only_some_statuses_are_transient() {
        let transient = [408, 429, 499, 500, 502, 503, 504, 522];
        for status in 200..600 {
            let expected = transient.contains(&status)
                || status == 425
                || (500..600).contains(&status) && ![501, 505, 507].contains(&status);
            assert_eq!(of_status(status).0.is_transient(), expected, "{status}");
        }
    }
}
