//! A folder whose files are known to be those of its model manifest.

use std::path::{Path, PathBuf};

use super::ModelManifest;

/// A verified folder: only materialising an artifact and verifying a folder make one, so that what
/// runs a model cannot be given files that nobody checked.
#[derive(Debug, Clone)]
pub struct ModelDir {
    root: PathBuf,
    manifest: ModelManifest,
}

impl ModelDir {
    /// States that every file of `manifest` stands under `root` with the content that it names.
    pub(crate) fn new(root: PathBuf, manifest: ModelManifest) -> Self {
        Self { root, manifest }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the folder holds.
    pub fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }
}
