//! Paths that a signature leaves out.

use std::collections::BTreeSet;

/// What every signature leaves out, at the top of the model only (OMS v1.0, section 6.2).
pub const GIT_NAMES: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// Paths from the root of a model, each left out with everything below it. No patterns: an entry is
/// compared as it is (OMS v1.0, section 6.2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnorePaths(BTreeSet<String>);

/// Why a path cannot be left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be left out of a signature: {reason}")]
pub struct IgnoreError {
    /// What was given, shortened.
    path: String,
    reason: &'static str,
}

impl IgnorePaths {
    /// The git names, which are always left out.
    pub fn git() -> Self {
        Self(GIT_NAMES.map(str::to_owned).into())
    }

    /// Adds a path that a signer wants left out: one below the root of the model, without the
    /// characters of patterns.
    pub fn add(&mut self, path: &str) -> Result<(), IgnoreError> {
        let refused = |reason| IgnoreError {
            path: path.chars().take(200).collect(),
            reason,
        };
        if path.contains(['*', '?', '[']) {
            return Err(refused("patterns are not known to OpenSSF Model Signing"));
        }
        match inside(path) {
            Some(path) if path.is_empty() => Err(refused("it is the whole model")),
            Some(path) => {
                self.0.insert(path);
                Ok(())
            }
            None => Err(refused("it is not below the model")),
        }
    }

    /// Adds what a statement says was left out. An entry that leads out of the model, which some
    /// signers write for the signature file, leaves nothing out of it.
    pub(super) fn add_recorded(&mut self, path: &str) -> Result<(), IgnoreError> {
        match inside(path) {
            Some(path) if path.is_empty() => Err(IgnoreError {
                path,
                reason: "it is the whole model",
            }),
            inside => {
                self.0.extend(inside);
                Ok(())
            }
        }
    }

    /// Adds the paths of another list.
    pub(super) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Whether a file, by its name, is left out: itself, or a folder that it is in.
    pub(super) fn leave_out(&self, name: &str) -> bool {
        let folders = name.match_indices('/').map(|(at, _)| &name[..at]);
        folders.chain([name]).any(|path| self.0.contains(path))
    }

    /// The paths, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The path without `.` components and doubled slashes; `None` if it leads out of the model.
fn inside(path: &str) -> Option<String> {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let leads_out = path.starts_with('/') || parts.contains(&"..");
    (!leads_out).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(paths: &[&str]) -> IgnorePaths {
        let mut list = IgnorePaths::git();
        for path in paths {
            list.add(path).unwrap();
        }
        list
    }

    /// OMS v1.0, section 6.2.1: the exact path and what is below it, at the top for the git names.
    #[test]
    fn paths_are_left_out_exactly_with_what_is_below_them() {
        let list = list(&["cache", "./sub//old/"]);
        for name in [
            "cache",
            "cache/x",
            "cache/x/y",
            ".git/config",
            ".gitignore",
            "sub/old/1",
        ] {
            assert!(list.leave_out(name), "{name}");
        }
        for name in [
            "cached",
            "sub/cache",
            "sub/.git",
            "sub/older",
            ".gitmodules",
            ".git2/x",
            "x/.github/y",
        ] {
            assert!(!list.leave_out(name), "{name}");
        }
    }

    #[test]
    fn patterns_and_paths_out_of_the_model_are_refused() {
        for path in [
            "*.bin", "a?", "[a]", "/abs", "../x", "a/../b", "", ".", "./",
        ] {
            assert!(IgnorePaths::default().add(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn recorded_paths_out_of_the_model_leave_nothing_out() {
        let mut list = IgnorePaths::default();
        for path in ["/tmp/model.sig", "../model.sig", "a/../b"] {
            list.add_recorded(path).unwrap();
        }
        assert_eq!(list, IgnorePaths::default());
        assert!(list.add_recorded(".").is_err());
    }

    #[test]
    fn recorded_pattern_is_a_name() {
        let mut list = IgnorePaths::default();
        list.add_recorded("*").unwrap();
        assert!(list.leave_out("*") && !list.leave_out("a"));
    }
}
