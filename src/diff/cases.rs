//! What changed in the smoke tests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Side;
use super::delta::{Change, paired};
use crate::model::{ModelManifest, Sha256, TESTS_FOLDER, Test};

/// A smoke test that was added, removed or changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseChange {
    /// The name of the case.
    pub case: String,
    /// What differs, if both versions have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<CasePart>,
    /// What it was and is.
    #[serde(flatten)]
    pub change: Change<CaseState>,
}

/// What can differ between two tests of one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CasePart {
    /// The graph that it runs.
    Graph,
    /// Relative or absolute tolerance.
    Tolerance,
    /// The shapes of its inputs.
    Shapes,
    /// The values of inputs or outputs.
    Values,
}

/// A smoke test without its values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseState {
    /// The graph that it runs.
    pub graph: String,
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance.
    pub atol: f64,
    /// The shapes of the inputs, by name.
    pub shapes: BTreeMap<String, Vec<u64>>,
}

impl From<&Test> for CaseState {
    fn from(test: &Test) -> Self {
        Self {
            graph: test.graph.to_string(),
            rtol: test.rtol,
            atol: test.atol,
            shapes: test.shapes.clone(),
        }
    }
}

/// A test and the digests of its files, by their names in the folder of the case.
type Case<'a> = (&'a Test, BTreeMap<&'a str, Sha256>);

/// The tests that differ, in the order of their names.
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> Vec<CaseChange> {
    let pairs = paired(cases(a.model()), cases(b.model()));
    let changes = pairs.into_iter().filter_map(|(name, (before, after))| {
        let parts = match (&before, &after) {
            (Some(before), Some(after)) => parts(before, after),
            _ => Vec::new(),
        };
        let same = before.is_some() && after.is_some() && parts.is_empty();
        let state = |case: Case<'_>| CaseState::from(case.0);
        (!same).then(|| CaseChange {
            case: name.to_owned(),
            parts,
            change: Change {
                before: before.map(state),
                after: after.map(state),
            },
        })
    });
    changes.collect()
}

fn cases(model: Option<&ModelManifest>) -> BTreeMap<&str, Case<'_>> {
    let mut files: BTreeMap<&str, BTreeMap<&str, Sha256>> = BTreeMap::new();
    for file in model.iter().flat_map(|model| &model.files) {
        let inside = file.path.as_str().strip_prefix(TESTS_FOLDER);
        let inside = inside.and_then(|path| path.strip_prefix('/')?.split_once('/'));
        if let Some((case, name)) = inside {
            files.entry(case).or_default().insert(name, file.sha256);
        }
    }
    let tests = model.iter().flat_map(|model| &model.tests);
    let cases = tests.map(|test| {
        let name = test.case.as_str();
        (name, (test, files.remove(name).unwrap_or_default()))
    });
    cases.collect()
}

fn parts((before, files): &Case<'_>, (after, files_after): &Case<'_>) -> Vec<CasePart> {
    let differs = [
        (CasePart::Graph, before.graph != after.graph),
        (
            CasePart::Tolerance,
            (before.rtol, before.atol) != (after.rtol, after.atol),
        ),
        (CasePart::Shapes, before.shapes != after.shapes),
        (CasePart::Values, files != files_after),
    ];
    let differing = differs.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(part, _)| part).collect()
}
