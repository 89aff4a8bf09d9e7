//! Which entries of a folder belong to the model.
//!
//! Left out are the git names that model signing leaves out too, caches of other tools, and what
//! `.modelctlignore` or the caller names; what the caller includes is never left out.

use std::io;
use std::path::Path;

use super::{Globs, SourceError};
use crate::model::folder;

/// Patterns in a model's folder that leave things out; read as a `.gitignore`.
pub const IGNORE_FILE: &str = ".modelctlignore";
/// The longest `.modelctlignore`, in bytes.
const MAX_IGNORE_FILE: u64 = 1024 * 1024;

/// What is left out unless it is included.
const DEFAULTS: [&str; 8] = [
    "/.git",
    "/.github",
    "/.gitignore",
    "/.gitattributes",
    "/.modelctlignore",
    "**/.cache/huggingface",
    ".DS_Store",
    "__pycache__",
];

/// What the caller wants left out or kept, as patterns of a `.gitignore`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Left out, besides what is left out anyway.
    pub exclude: Vec<String>,
    /// Kept, whatever else names it.
    pub include: Vec<String>,
}

/// The rules of one walk.
#[derive(Debug)]
pub(super) struct Rules {
    exclude: Globs,
    include: Globs,
}

impl Rules {
    /// Puts the defaults, the folder's own list and the caller's patterns in order; later ones win.
    pub(super) fn read(root: &Path, selection: &Selection) -> Result<Self, SourceError> {
        let listed = read_ignore_file(&root.join(IGNORE_FILE))?;
        let patterns = DEFAULTS.into_iter().chain(listed.lines());
        let patterns = patterns.chain(selection.exclude.iter().map(String::as_str));
        Ok(Self {
            exclude: Globs::new(patterns)?,
            include: Globs::new(&selection.include)?,
        })
    }

    /// Whether an entry is left out. `outside`: the folder that it is in is left out.
    pub(super) fn leaves_out(&self, path: &str, is_folder: bool, outside: bool) -> bool {
        let named = |globs: &Globs| match is_folder {
            true => globs.names_folder(path),
            false => globs.names_file(path),
        };
        (outside || named(&self.exclude)) && !named(&self.include)
    }

    /// Whether something inside a folder that is left out may still be included.
    pub(super) fn may_include_below(&self) -> bool {
        !self.include.is_empty()
    }
}

/// The folder's own patterns; none if it has no such file.
fn read_ignore_file(path: &Path) -> Result<String, SourceError> {
    let read = match folder::read_small(path, MAX_IGNORE_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => Err(error),
        Ok(bytes) => String::from_utf8(bytes).map_err(io::Error::other),
    };
    read.map_err(|source| SourceError::io(path, source))
}
