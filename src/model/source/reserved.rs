//! The folder `.modelctl`, which belongs to this tool in every model.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::SourceError;
use crate::model::{FilePath, MAX_MODEL_MANIFEST_SIZE, ModelManifest, OWN_FOLDER};

/// Whether the last component of a path is the folder's name, on any file system.
pub(super) fn is_own_folder(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.parse::<FilePath>()
        .is_ok_and(|name| name.folded() == OWN_FOLDER)
}

/// Checks that an earlier pull wrote the folder, as its model manifest shows: then it says nothing
/// about the model that packing would not say again. Any other one may be somebody's data.
pub(super) fn check_pulled(folder: &Path) -> Result<(), SourceError> {
    let read = || -> Option<ModelManifest> {
        let path = folder.join("manifest.json");
        let metadata = path.symlink_metadata().ok()?;
        if !metadata.is_file() || metadata.len() > MAX_MODEL_MANIFEST_SIZE {
            return None;
        }
        let mut bytes = Vec::new();
        let file = File::open(path).ok()?;
        let limited = file.take(MAX_MODEL_MANIFEST_SIZE);
        { limited }.read_to_end(&mut bytes).ok()?;
        ModelManifest::parse_alone(&bytes).ok()
    };
    match read() {
        Some(_) => Ok(()),
        None => Err(SourceError::Reserved(folder.to_owned())),
    }
}
