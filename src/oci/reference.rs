//! References: `[registry/]repository[:tag][@digest]` (distribution-spec, "Pulling manifests").
//!
//! The first component is a registry if it has a dot or a colon or is `localhost`, as everywhere
//! in the field. If a digest is given it decides, and the tag is only advice.

use std::fmt;
use std::str::FromStr;

use super::Digest;

/// Names a manifest, in a registry or in the local store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: Option<String>,
    repository: String,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// Why a text is not a reference. The subject is quoted by the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The repository does not have the form of the specification.
    #[error(
        "invalid reference {0:?}: a repository is lower-case letters, digits, `.`, `_`, `-` and `/`"
    )]
    Repository(String),
    /// The registry is not `host` or `host:port`.
    #[error("invalid reference {0:?}: a registry is `host` or `host:port`")]
    Registry(String),
    /// The tag does not have the form of the specification.
    #[error(
        "invalid tag {0:?}: a tag is up to 128 letters, digits, `.`, `_` and `-`, and does not begin with `.` or `-`"
    )]
    Tag(String),
    /// The digest is invalid.
    #[error(transparent)]
    Digest(#[from] super::DigestError),
}

/// A mutable name of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let valid = text.len() <= 128
            && text.bytes().next().is_some_and(word)
            && text.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Tag(excerpt(text)))
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Reference {
    /// The registry, `host[:port]`, if one is named.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, which decides where it is given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository in a registry.
    pub fn with_registry(mut self, registry: &str) -> Result<Self, ReferenceError> {
        if !is_registry(registry) {
            return Err(ReferenceError::Registry(excerpt(registry)));
        }
        self.registry = Some(registry.to_owned());
        Ok(self)
    }

    /// The same repository with this tag and no digest.
    pub fn with_tag(mut self, tag: Tag) -> Self {
        (self.tag, self.digest) = (Some(tag), None);
        self
    }

    /// The same repository pinned to a digest, without a tag.
    pub fn with_digest(mut self, digest: Digest) -> Self {
        (self.tag, self.digest) = (None, Some(digest));
        self
    }

    /// The same reference with the tag `latest` where neither tag nor digest is given.
    pub fn or_latest(self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            return self.with_tag(Tag("latest".to_owned()));
        }
        self
    }

    /// `[registry/]repository`, without tag and digest.
    pub fn name(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.repository),
            None => self.repository.clone(),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (registry, rest) = match rest.split_once('/') {
            Some((first, rest)) if looks_like_registry(first) => (Some(first), rest),
            _ => (None, rest),
        };
        if let Some(registry) = registry
            && !is_registry(registry)
        {
            return Err(ReferenceError::Registry(excerpt(text)));
        }
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.parse()?)),
            None => (rest, None),
        };
        if !is_repository(repository) {
            return Err(ReferenceError::Repository(excerpt(text)));
        }
        let registry = registry.map(str::to_owned);
        Ok(Self {
            registry,
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

fn looks_like_registry(component: &str) -> bool {
    component == "localhost" || component.contains(['.', ':', '['])
}

/// `host`, `host:port` or `[ipv6]:port`.
fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, port.strip_prefix(':').or(Some(""))),
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host_ok = if text.starts_with('[') {
        host.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        host.len() <= 253
            && host.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host_ok && port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok())
}

/// The grammar of distribution-spec: components of `[a-z0-9]+` joined by `.`, `_`, `__` or `-+`.
fn is_repository(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !alphanumeric(first) || !alphanumeric(last) {
        return false;
    }
    bytes.split(alphanumeric).all(|between| {
        matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-')
    })
}

/// The start of a hostile text, short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_round_trip() {
        let hex = "a".repeat(64);
        for text in [
            "mlp",
            "demo/mlp:v1",
            "localhost/mlp",
            "127.0.0.1:5000/demo/mlp:v1",
            "[::1]:5000/demo/mlp",
            "registry.example/a/b__c/d-e--f.g_h:V1.0_x-y",
            &format!("registry.example/m:v1@sha256:{hex}"),
            &format!("m@sha256:{hex}"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), *text);
        }
        let reference: Reference = "localhost:5000/a/b:c".parse().unwrap();
        assert_eq!(reference.registry(), Some("localhost:5000"));
        assert_eq!(reference.repository(), "a/b");
        assert_eq!(reference.tag().unwrap().as_str(), "c");
    }

    #[test]
    fn hostile_references_are_refused() {
        let long = "a".repeat(256);
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a/../b",
            "a/./b",
            "..",
            ".",
            "-a",
            "a-",
            "a_-b",
            "a..b",
            "a___b",
            "a:",
            "a:.x",
            "a:-x",
            "a:x:y",
            "a@",
            "a@sha256:1",
            "a b",
            "a\0",
            "http://h/a",
            "h.example:x/a",
            "h.example:99999/a",
            "[::1/a",
            "[x]:1/a",
            "h..x/a",
            "-h.x/a",
            "a?b",
            "a#b",
            "ü",
            long.as_str(),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?} was accepted");
        }
        assert!(
            format!("a:{}", "t".repeat(129))
                .parse::<Reference>()
                .is_err()
        );
    }

    #[test]
    fn missing_tag_is_latest_only_when_asked() {
        let reference: Reference = "a".parse().unwrap();
        assert_eq!(reference.clone().or_latest().to_string(), "a:latest");
        let pinned = reference.with_digest(Digest::sha256(b""));
        assert_eq!(pinned.clone().or_latest(), pinned);
    }
}
