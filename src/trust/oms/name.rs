//! Names of signed files: relative, normalised, byte-exact.

use std::fmt;
use std::str::FromStr;

/// The longest name, in bytes: what Linux takes for a path.
const MAX_NAME: usize = 4096;

/// The path of a file from the root of its model, with `/` between components (OMS v1.0, section
/// 6.1.2). Compared byte by byte: neither case nor Unicode form is folded.
///
/// Wider than a [`FilePath`](crate::model::FilePath): a signature may cover names that modelctl
/// would not pack, such as ones with a backslash. Nothing is ever written under such a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName(String);

/// Why a text is not the name of a signed file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not the name of a file in a model: {reason}")]
pub struct NameError {
    /// What was given, shortened.
    name: String,
    reason: &'static str,
}

impl ResourceName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match fault(text) {
            Some(reason) => Err(NameError {
                name: text.chars().take(200).collect(),
                reason,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }
}

fn fault(name: &str) -> Option<&'static str> {
    if name.len() > MAX_NAME {
        return Some("it is longer than 4096 bytes");
    }
    if name.starts_with('/') {
        return Some("it is absolute");
    }
    if name.contains('\0') {
        return Some("it has a NUL character");
    }
    name.split('/').find_map(|component| match component {
        "" => Some("it has an empty component"),
        "." | ".." => Some("it has a `.` or `..` component"),
        _ => None,
    })
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security row A04.
    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x/".repeat(2048) + "x";
        for name in [
            "",
            ".",
            "..",
            "/abs",
            "../x",
            "a/../b",
            "a/./b",
            "./a",
            "a//b",
            "a/",
            "a\0b",
            long.as_str(),
        ] {
            assert!(name.parse::<ResourceName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn any_other_name_stays_as_it_is() {
        for name in [
            "a",
            "..a/b..",
            "a\\b",
            "C:x",
            "u\u{308}",
            "ü",
            "模型.bin",
            "a b (1)",
        ] {
            assert_eq!(name.parse::<ResourceName>().unwrap().as_str(), name);
        }
    }
}
