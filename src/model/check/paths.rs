//! Paths of files and layers: apart from each other, and out of the folder that is ours.

use super::{Rule, Violation};
use crate::model::{FilePath, ModelManifest, OWN_FOLDER, Role, TESTS_FOLDER, clash};
use crate::oci::media_type;

/// The path of the tests layer.
const TESTS_PATH: &str = ".modelctl/tests.tar";
/// The path of the layer that holds the smallest of very many files.
const FILES_PATH: &str = ".modelctl/files.tar";
/// The folder of the skeleton layers.
const SKELETON_FOLDER: &str = ".modelctl/skeleton";

/// Checks what can be said of the paths without the OCI manifest.
pub(super) fn check(manifest: &ModelManifest) -> Result<(), Violation> {
    for file in &manifest.files {
        let (is_test, in_tests) = (file.role == Role::Test, file.path.is_in(TESTS_FOLDER));
        if is_test != in_tests || (is_own(&file.path) && !in_tests) {
            let detail = format!(
                "file `{}` with role `{}`: test files, and nothing else, are below `{TESTS_FOLDER}`",
                file.path,
                file.role.as_str()
            );
            return Err(Violation::new(Rule::OwnFolder, detail));
        }
    }
    apart(
        manifest.files.iter().map(|file| &file.path),
        Rule::FileClash,
    )?;
    for (index, layer) in manifest.layers.iter().enumerate() {
        if is_own(&layer.path) && media_type_of(&layer.path).is_none() {
            let detail = format!("layers[{index}] has the path `{}`", layer.path);
            return Err(Violation::new(Rule::LayerPath, detail));
        }
    }
    apart(
        manifest.layers.iter().map(|layer| &layer.path),
        Rule::LayerClash,
    )
}

/// The media type that a layer with a path below `.modelctl` has; `None` for any other path.
pub(super) fn media_type_of(path: &FilePath) -> Option<&'static str> {
    match path.as_str() {
        TESTS_PATH => Some(media_type::LAYER_TESTS),
        FILES_PATH => Some(media_type::LAYER_FILES),
        text if path.is_in(SKELETON_FOLDER) && text.len() > SKELETON_FOLDER.len() => {
            Some(media_type::LAYER_SKELETON)
        }
        _ => None,
    }
}

/// Whether the path is in the folder that is ours, on any file system.
fn is_own(path: &FilePath) -> bool {
    let folded = path.folded();
    folded.split('/').next() == Some(OWN_FOLDER)
}

fn apart<'a>(paths: impl Iterator<Item = &'a FilePath>, rule: Rule) -> Result<(), Violation> {
    match clash(paths) {
        Some((first, second)) => {
            let detail = format!("`{first}` and `{second}` cannot stand side by side");
            Err(Violation::new(rule, detail))
        }
        None => Ok(()),
    }
}
