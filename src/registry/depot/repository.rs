//! The name of a repository, as a type.

use std::fmt;

use crate::oci::Reference;

/// A name that has the grammar of distribution-spec: it can neither leave the folder of
/// repositories nor clash with the folders inside one, which begin with `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Repository(String);

impl Repository {
    /// Reads a name; `None` if it is not one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // A host in front, or else a first component with a dot would be taken for one.
        let reference: Reference = format!("localhost/{text}").parse().ok()?;
        (reference.repository() == text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
