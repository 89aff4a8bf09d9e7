//! Plans in one call.

use std::path::{Path, PathBuf};

use super::artifact::ArtifactPlan;
use super::survey::Survey;
use super::{Outline, PlanError, PlanOptions};
use crate::model::FilePath;

/// Plans the artifact of a folder, or of one file and the external data that it names. Reads and
/// hashes every file, writes nothing. Blocks: call it on a thread of its own.
///
/// The same files and options give the same plan, on every machine and at every time.
///
/// # Errors
/// The first thing that cannot be packed, by name.
pub fn build(path: &Path, options: &PlanOptions) -> Result<ArtifactPlan, PlanError> {
    Outline::new(path, options)?.plan()
}

/// Finds the ONNX graphs that [`build`] would pack, without reading weights: the folder that their
/// paths start from, and the paths. Blocks as `build` does.
///
/// # Errors
/// Those of [`build`] that concern the files.
pub fn graphs(path: &Path, options: &PlanOptions) -> Result<(PathBuf, Vec<FilePath>), PlanError> {
    let survey = Survey::new(path, options)?;
    let graphs = survey.graphs();
    let paths = graphs.map(|(index, _)| survey.files[index].file.path.clone());
    let paths = paths.collect();
    Ok((survey.root, paths))
}
