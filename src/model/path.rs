//! Paths of files inside a model: relative, portable, and nothing that could escape.
//!
//! Every name that comes from an annotation, a manifest or a folder becomes a [`FilePath`] before
//! it is joined to anything (CVE-2021-21272, CVE-2025-62725; OCI annotations are hostile).

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;

/// The longest component, in bytes: what Linux file systems take.
const MAX_COMPONENT: usize = 255;
/// The longest path, in bytes.
const MAX_PATH: usize = 4096;

/// A relative path with `/` between its components, each of which is a plain name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

/// Why a text is not a safe path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsafe file name {path:?}: {reason}")]
pub struct FilePathError {
    /// What was given, shortened.
    path: String,
    reason: &'static str,
}

impl FilePath {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, from the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.components().next_back().unwrap_or_default()
    }

    /// The path without its last component; empty at the root.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// The path below a folder.
    pub fn under(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// What two paths have in common that some file systems take for the same file: the path in
    /// NFC with case folded.
    pub fn folded(&self) -> String {
        let upper: String = self.0.nfc().flat_map(char::to_uppercase).collect();
        upper.chars().flat_map(char::to_lowercase).nfc().collect()
    }

    /// Whether the path is `folder` or below it.
    pub fn is_in(&self, folder: &str) -> bool {
        self.0
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl FromStr for FilePath {
    type Err = FilePathError;

    fn from_str(text: &str) -> Result<Self, FilePathError> {
        match fault(text) {
            Some(reason) => Err(FilePathError {
                path: text.chars().take(200).collect(),
                reason,
            }),
            None => Ok(Self(text.to_owned())),
        }
    }
}

fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.len() > MAX_PATH {
        return Some("it is longer than 4096 bytes");
    }
    if path.starts_with('/') {
        return Some("it is absolute");
    }
    if path.contains('\\') {
        return Some("it has a backslash");
    }
    if path.chars().any(char::is_control) {
        return Some("it has a control character");
    }
    path.split('/').find_map(component_fault)
}

fn component_fault(component: &str) -> Option<&'static str> {
    let drive = component.as_bytes();
    match component {
        "" => Some("it has an empty component"),
        "." | ".." => Some("it has a `.` or `..` component"),
        _ if component.len() > MAX_COMPONENT => Some("a component is longer than 255 bytes"),
        _ if drive.len() >= 2 && drive[1] == b':' && drive[0].is_ascii_alphabetic() => {
            Some("it has a drive prefix")
        }
        _ => None,
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FilePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for FilePath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FilePath".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A relative path: `/` between components, none of which is empty, `.` or `..`; no backslash, no control character, no drive prefix.",
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "pattern": "^(?!/)(?!.*(^|/)\\.{0,2}(/|$))[^\\\\\\u0000-\\u001f\\u007f]+$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Security rows A04 and A05.
    #[test]
    fn unsafe_paths_are_refused() {
        let long = "x".repeat(256);
        let longer = "x/".repeat(2049) + "x";
        for path in [
            "",
            ".",
            "..",
            "../x",
            "/abs",
            "a/../../x",
            "a/./b",
            "a//b",
            "x/",
            "C:\\x",
            "C:x",
            "c:",
            "a\\..\\x",
            "x\0y",
            "x\ny",
            "x\u{85}y",
            long.as_str(),
            longer.as_str(),
        ] {
            assert!(path.parse::<FilePath>().is_err(), "{path:?} was accepted");
        }
    }

    /// Security row A06: dots inside a name are not a traversal.
    #[test]
    fn odd_but_safe_paths_are_accepted() {
        for path in [
            "weights..v2.bin",
            "..weights",
            "a...b",
            "...",
            "-rf",
            "~",
            "a b/ü",
            ".hidden",
            "ab:c",
        ] {
            assert_eq!(path.parse::<FilePath>().unwrap().as_str(), path);
        }
    }

    #[test]
    fn folding_finds_names_that_clash() {
        let folded = |path: &str| path.parse::<FilePath>().unwrap().folded();
        assert_eq!(folded("A.onnx"), folded("a.ONNX"));
        assert_eq!(folded("u\u{308}"), folded("ü"));
        assert_eq!(folded("stra\u{df}e"), folded("STRASSE"));
        assert_ne!(folded("a"), folded("b"));
    }
}
