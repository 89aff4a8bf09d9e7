//! The folder `.modelctl`, which belongs to this tool in every model.

use std::path::Path;

use super::SourceError;
use crate::model::{FilePath, OWN_FOLDER, folder};

/// Whether the last component of a path is the folder's name, on any file system.
pub(super) fn is_own_folder(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.parse::<FilePath>()
        .is_ok_and(|name| name.folded() == OWN_FOLDER)
}

/// Checks that an earlier pull wrote the folder, as its model manifest shows: then it says nothing
/// about the model that packing would not say again. Any other one may be somebody's data.
pub(super) fn check_pulled(own_folder: &Path) -> Result<(), SourceError> {
    let root = own_folder
        .parent()
        .filter(|_| own_folder.ends_with(OWN_FOLDER));
    match root.and_then(folder::read_manifest) {
        Some(_) => Ok(()),
        None => Err(SourceError::Reserved(own_folder.to_owned())),
    }
}
