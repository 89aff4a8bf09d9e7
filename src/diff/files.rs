//! What changed in the files: by path and digest, and for artifacts of other tools by title.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Side;
use super::delta::{Delta, Total, paired};
use crate::model::{ModelManifest, Role};
use crate::oci::{Digest, Manifest};

/// A file that only one version has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// Its path; of another tool's layer the title, and the digest of one that has none.
    pub path: String,
    /// What it is.
    #[serde(flatten)]
    pub state: FileState,
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Its path or title.
    pub path: String,
    /// What differs.
    pub parts: Vec<FilePart>,
    /// In A.
    pub before: FileState,
    /// In B.
    pub after: FileState,
}

/// What can differ between two files of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilePart {
    /// Its bytes.
    Content,
    /// Whether it is executable.
    Mode,
    /// What it is for.
    Role,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileState {
    /// Its length in bytes.
    pub bytes: u64,
    /// The digest of its content.
    pub digest: Digest,
    /// Whether it is executable; unknown of another tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<bool>,
    /// What it is for; unknown of another tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// The files that differ but for those of smoke tests, which are compared as tests.
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> Delta<FileEntry, FileChange> {
    let mut delta = Delta {
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        unchanged: Total::default(),
    };
    for (path, pair) in paired(files(a), files(b)) {
        match pair {
            (Some(before), Some(after)) => {
                let parts = parts(&before, &after);
                if parts.is_empty() {
                    delta.unchanged.add(after.bytes);
                    continue;
                }
                delta.changed.push(FileChange {
                    path,
                    parts,
                    before,
                    after,
                });
            }
            (None, Some(state)) => delta.added.push(FileEntry { path, state }),
            (Some(state), None) => delta.removed.push(FileEntry { path, state }),
            (None, None) => {}
        }
    }
    delta
}

fn files(side: &Side<'_>) -> BTreeMap<String, FileState> {
    match (side.model(), side.manifest()) {
        (Some(model), _) => of_model(model),
        (None, Some(manifest)) => of_layers(manifest),
        (None, None) => BTreeMap::new(),
    }
}

fn of_model(model: &ModelManifest) -> BTreeMap<String, FileState> {
    let files = model.files.iter().filter(|file| file.role != Role::Test);
    let states = files.map(|file| {
        let state = FileState {
            bytes: file.size,
            digest: file.sha256.digest(),
            executable: Some(file.executable),
            role: Some(file.role),
        };
        (file.path.to_string(), state)
    });
    states.collect()
}

fn of_layers(manifest: &Manifest) -> BTreeMap<String, FileState> {
    let mut files = BTreeMap::new();
    for layer in &manifest.layers {
        let title = layer.title().map(str::to_owned);
        // Of two layers with one title the second goes by its digest as well.
        let title = title.filter(|title| !files.contains_key(title));
        let state = FileState {
            bytes: layer.size,
            digest: layer.digest,
            executable: None,
            role: None,
        };
        files.insert(title.unwrap_or_else(|| layer.digest.to_string()), state);
    }
    files
}

fn parts(before: &FileState, after: &FileState) -> Vec<FilePart> {
    // What one side does not say does not differ.
    let both = |differs: Option<bool>| differs == Some(true);
    let mode = before.executable.zip(after.executable);
    let role = before.role.zip(after.role);
    let differs = [
        (
            FilePart::Content,
            (before.bytes, before.digest) != (after.bytes, after.digest),
        ),
        (FilePart::Mode, both(mode.map(|(a, b)| a != b))),
        (FilePart::Role, both(role.map(|(a, b)| a != b))),
    ];
    let differing = differs.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(part, _)| part).collect()
}
