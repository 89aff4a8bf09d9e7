//! Lists of patterns over the paths of a model, read as a `.gitignore` is.
//!
//! Patterns → whether a path, or a folder that it is in, is named. `*` stays within a component,
//! `**` crosses them, a `/` at the start or in the middle anchors to the root of the model, a `/`
//! at the end means folders only, and a later `!pattern` takes back an earlier one.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// A list of patterns, the last of which to match a path decides.
#[derive(Debug, Clone)]
pub struct Globs(Gitignore);

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid pattern `{pattern}`: {reason}")]
pub struct GlobError {
    /// What was given.
    pattern: String,
    reason: String,
}

impl Globs {
    /// Compiles patterns, in order. Empty ones and those that begin with `#` name nothing.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, GlobError> {
        let mut builder = GitignoreBuilder::new("");
        let mut last = String::new();
        for pattern in patterns {
            last = pattern.as_ref().to_owned();
            builder
                .add_line(None, &last)
                .map_err(|error| GlobError::new(&last, &error))?;
        }
        let list = builder.build();
        list.map(Self)
            .map_err(|error| GlobError::new(&last, &error))
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list names this file, or a folder that it is in.
    pub fn names_file(&self, path: &str) -> bool {
        self.0.matched_path_or_any_parents(path, false).is_ignore()
    }

    /// Whether the list names this folder, or one that it is in.
    pub fn names_folder(&self, path: &str) -> bool {
        self.0.matched_path_or_any_parents(path, true).is_ignore()
    }
}

impl GlobError {
    fn new(pattern: &str, error: &ignore::Error) -> Self {
        Self {
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_in_a_gitignore() {
        let globs = Globs::new([
            "*.bin",
            "/top.txt",
            "logs/",
            "a/**/z",
            "!keep.bin",
            "# x",
            "",
        ]);
        let globs = globs.unwrap();
        for path in [
            "x.bin",
            "sub/x.bin",
            "top.txt",
            "logs/1",
            "d/logs/2",
            "a/z",
            "a/b/c/z",
        ] {
            assert!(globs.names_file(path), "{path} should be named");
        }
        for path in ["keep.bin", "sub/top.txt", "logs", "x.binary", "b/a/z"] {
            assert!(!globs.names_file(path), "{path} should not be named");
        }
        assert!(globs.names_folder("d/logs"));
    }

    #[test]
    fn broken_pattern_is_named_in_the_error() {
        let error = Globs::new(["ok", "a[z-a]"]).unwrap_err().to_string();
        assert!(error.contains("`a[z-a]`"), "{error}");
    }
}
