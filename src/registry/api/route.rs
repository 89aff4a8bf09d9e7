//! Method-free reading of a request's path: bytes of the client → an [`Endpoint`] of typed names.
//!
//! Names of repositories contain slashes, so a path is read from its end (distribution-spec,
//! "Endpoints"). Nothing is percent-decoded but `%3A`, the colon of a digest: no other character
//! of the grammar needs it, so an encoded slash, dot or NUL is refused with everything else that
//! is not in the grammar. What leaves here can neither leave a folder nor name a file of ours.

use crate::oci::{Digest, Tag};
use crate::registry::depot::Repository;
use crate::registry::observe::Route;
use crate::registry::wire::{Code, Failure};

/// What a path of the distribution API names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/v2/`
    Root,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/blobs/<digest>`
    Blob(Repository, Digest),
    /// `/v2/<name>/blobs/uploads/`
    Uploads(Repository),
    /// `/v2/<name>/blobs/uploads/<session>`
    Upload(Repository, String),
    /// `/v2/<name>/manifests/<tag-or-digest>`
    Manifest(Repository, Target),
    /// `/v2/<name>/tags/list`
    Tags(Repository),
    /// `/v2/<name>/referrers/<digest>`
    Referrers(Repository, Digest),
}

/// How a manifest is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// By a tag.
    Tag(Tag),
    /// By its digest.
    Digest(Digest),
}

impl Endpoint {
    /// What kind of path it is, whatever it names.
    pub(super) fn route(&self) -> Route {
        match self {
            Self::Root => Route::Root,
            Self::Catalog => Route::Catalog,
            Self::Blob(..) => Route::Blob,
            Self::Uploads(_) => Route::Uploads,
            Self::Upload(..) => Route::Upload,
            Self::Manifest(..) => Route::Manifest,
            Self::Tags(_) => Route::Tags,
            Self::Referrers(..) => Route::Referrers,
        }
    }

    /// Reads the path of a request.
    pub(super) fn parse(path: &str) -> Result<Self, Failure> {
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return Ok(Self::Root),
            Some("/_catalog") => return Ok(Self::Catalog),
            Some(rest) => rest.strip_prefix('/').ok_or_else(unknown_path)?,
            None => return Err(unknown_path()),
        };
        if let Some(name) = rest.strip_suffix("/blobs/uploads/") {
            return Ok(Self::Uploads(repository(name)?));
        }
        let (parent, last) = rest.rsplit_once('/').ok_or_else(unknown_path)?;
        if let Some(name) = parent.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(repository(name)?, last.to_owned()));
        }
        let (name, collection) = parent.rsplit_once('/').ok_or_else(unknown_path)?;
        match (collection, last) {
            ("blobs", "uploads") => Ok(Self::Uploads(repository(name)?)),
            ("blobs", last) => Ok(Self::Blob(repository(name)?, digest(last)?)),
            ("manifests", last) => Ok(Self::Manifest(repository(name)?, target(last)?)),
            ("tags", "list") => Ok(Self::Tags(repository(name)?)),
            ("referrers", last) => Ok(Self::Referrers(repository(name)?, digest(last)?)),
            _ => Err(unknown_path()),
        }
    }
}

fn unknown_path() -> Failure {
    Failure::new(
        Code::Unsupported,
        "this path is not of the distribution API",
    )
    .with_status(axum::http::StatusCode::NOT_FOUND)
}

/// Reads the name of a repository.
pub(super) fn repository(text: &str) -> Result<Repository, Failure> {
    Repository::parse(text).ok_or_else(|| {
        Failure::new(
            Code::NameInvalid,
            "a repository is up to 255 lower-case letters, digits, `.`, `_`, `-` and `/`",
        )
    })
}

/// Reads a digest, as it stands in a path or a query.
pub(super) fn digest(text: &str) -> Result<Digest, Failure> {
    text.replace("%3A", ":")
        .replace("%3a", ":")
        .parse()
        .map_err(|error: crate::oci::DigestError| {
            Failure::new(Code::DigestInvalid, error.to_string())
        })
}

/// Reads a tag.
pub(super) fn tag(text: &str) -> Result<Tag, Failure> {
    text.parse().map_err(|error: crate::oci::ReferenceError| {
        Failure::new(Code::ManifestInvalid, error.to_string())
    })
}

fn target(text: &str) -> Result<Target, Failure> {
    if text.contains([':', '%']) {
        Ok(Target::Digest(digest(text)?))
    } else {
        Ok(Target::Tag(tag(text)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_their_end() {
        let digest = Digest::sha256(b"x");
        let repository = |name| Repository::parse(name).unwrap();
        for (path, expected) in [
            ("/v2/".to_owned(), Endpoint::Root),
            ("/v2".to_owned(), Endpoint::Root),
            (
                format!("/v2/a/b/blobs/{digest}"),
                Endpoint::Blob(repository("a/b"), digest),
            ),
            (
                format!("/v2/a/blobs/sha256%3A{}", digest.hex()),
                Endpoint::Blob(repository("a"), digest),
            ),
            (
                format!("/v2/a/blobs/uploads/blobs/{digest}"),
                Endpoint::Blob(repository("a/blobs/uploads"), digest),
            ),
            (
                "/v2/a.b/c/blobs/uploads/".to_owned(),
                Endpoint::Uploads(repository("a.b/c")),
            ),
            (
                "/v2/a/blobs/uploads/xyz".to_owned(),
                Endpoint::Upload(repository("a"), "xyz".to_owned()),
            ),
            (
                "/v2/a/manifests/v1".to_owned(),
                Endpoint::Manifest(repository("a"), Target::Tag("v1".parse().unwrap())),
            ),
            (
                format!("/v2/manifests/manifests/{digest}"),
                Endpoint::Manifest(repository("manifests"), Target::Digest(digest)),
            ),
            (
                "/v2/tags/tags/list".to_owned(),
                Endpoint::Tags(repository("tags")),
            ),
            (
                format!("/v2/a/referrers/{digest}"),
                Endpoint::Referrers(repository("a"), digest),
            ),
        ] {
            assert_eq!(Endpoint::parse(&path).unwrap(), expected, "{path}");
        }
    }

    /// Security rows A01, A02.
    #[test]
    fn paths_outside_the_grammar_are_refused() {
        let hex = "a".repeat(64);
        let long = "a/".repeat(128) + "a";
        for path in [
            "/".to_owned(),
            "/v1/".to_owned(),
            "/v2x/a/tags/list".to_owned(),
            "/v2/tags/list".to_owned(),
            "/v2/../tags/list".to_owned(),
            "/v2/a/../b/tags/list".to_owned(),
            "/v2/a%2fb/tags/list".to_owned(),
            "/v2/a%00/tags/list".to_owned(),
            "/v2//a/tags/list".to_owned(),
            "/v2/a//tags/list".to_owned(),
            "/v2/A/tags/list".to_owned(),
            "/v2/a:b/tags/list".to_owned(),
            "/v2/a@b/tags/list".to_owned(),
            "/v2/_blobs/tags/list".to_owned(),
            format!("/v2/{long}/tags/list"),
            format!("/v2/a/blobs/sha256:{hex}x"),
            format!("/v2/a/blobs/sha256:..%2f..%2f{hex}"),
            format!("/v2/a/blobs/sha256-{hex}"),
            format!("/v2/a/blobs/sha512:{hex}"),
            "/v2/a/blobs/sha256:../../../x".to_owned(),
            "/v2/a/manifests/.x".to_owned(),
            "/v2/a/manifests/..".to_owned(),
            "/v2/a/manifests/%2e%2e".to_owned(),
            "/v2/a/manifests/".to_owned(),
            format!("/v2/a/manifests/{}", "t".repeat(129)),
        ] {
            assert!(Endpoint::parse(&path).is_err(), "{path} was accepted");
        }
    }
}
