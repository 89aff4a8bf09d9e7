//! Which graph of a model is meant.

use super::RunError;
use crate::model::{FilePath, ModelManifest};

/// The graph that is named, or the only one.
pub(super) fn one_graph<'a>(
    manifest: &'a ModelManifest,
    wanted: Option<&FilePath>,
) -> Result<&'a FilePath, RunError> {
    let mut graphs = manifest.graphs.iter().map(|graph| &graph.path);
    let found = match wanted {
        Some(wanted) => graphs.find(|path| *path == wanted),
        None => graphs.next().filter(|_| graphs.next().is_none()),
    };
    found.ok_or_else(|| no_graph(manifest, wanted))
}

/// Why there is no such graph, or not only one.
pub(super) fn no_graph(manifest: &ModelManifest, wanted: Option<&FilePath>) -> RunError {
    let graphs = manifest.graphs.iter();
    let known: Vec<String> = graphs.map(|graph| graph.path.to_string()).collect();
    let wanted = match wanted {
        Some(path) => format!("no graph `{path}`"),
        None if known.is_empty() => "nothing to run".to_owned(),
        None => format!("{} graphs", known.len()),
    };
    RunError::Graph { wanted, known }
}
