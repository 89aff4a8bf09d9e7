//! What a refused request was about, as far as it makes a difference to what the refusal means.

use std::fmt;
use std::sync::Arc;

/// What was asked of a registry.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The repository; empty for the registry itself.
    pub(crate) repository: String,
    /// Whether it was to be changed.
    pub(crate) writes: bool,
    /// Whether something was to be stored: not even a read-only registry refuses it otherwise.
    pub(crate) stores: bool,
    /// As whom.
    pub(crate) account: Account,
    /// The manifest that was to be stored, if it was one.
    pub(crate) manifest: Option<Arc<ManifestPut>>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// Nobody that the registry knows.
    Anonymous,
    /// A user by name.
    User(String),
    /// Whoever an identity token is for.
    Token,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("without a login"),
            Self::User(name) => write!(f, "as user `{}`", super::cleaned(name)),
            Self::Token => f.write_str("with an identity token"),
        }
    }
}

/// A manifest on its way to a registry.
#[derive(Debug, Clone)]
pub(crate) struct ManifestPut {
    /// The tag, if it is to have one.
    pub(crate) tag: Option<String>,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// The media types by which a registry may refuse it: that of the manifest, of the artifact, of
    /// the config.
    pub(crate) media_types: Vec<String>,
}

impl ManifestPut {
    /// The media types, for a message.
    pub(super) fn types(&self) -> String {
        let types = self.media_types.iter().map(|name| format!("`{name}`"));
        types.collect::<Vec<_>>().join(", ")
    }
}
