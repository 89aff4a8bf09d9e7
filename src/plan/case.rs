//! Smoke tests: folders in the layout of ONNX (`<case>/{input,output}_N.pb`) → cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::content::Member;
use super::survey::{Survey, Surveyed};
use super::{PlanError, TestSet};
use crate::model::source::{ModelFile, SourceError};
use crate::model::{FilePath, TESTS_FOLDER, Test};
use crate::onnx::{self, DataType, Model};

/// A smoke test.
#[derive(Debug)]
pub(super) struct Case {
    /// What the model manifest says of it.
    pub(super) test: Test,
    /// Its files: in the tar by `<case>/<name>`, in a pulled folder by their path.
    pub(super) members: Vec<Member>,
}

/// Finds the cases of all sets, sorted by name.
pub(super) fn cases(survey: &Survey, sets: &[TestSet]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    let mut taken = BTreeSet::new();
    for set in sets {
        let graph = graph_of(survey, set)?;
        let before = cases.len();
        for (name, folder) in folders(&set.folder)? {
            let files = data_files(set, &folder)?;
            if files.is_empty() {
                continue;
            }
            let mut case = Case::new(free_name(&name, &mut taken), set, &survey.files[graph]);
            for file in files {
                case.add(set, &survey.files[graph], folder.join(file))?;
            }
            cases.push(case);
        }
        if cases.len() == before {
            let reason = "no folder in it has files `input_0.pb`, `output_0.pb`, …";
            return Err(fault(set, reason.to_owned()));
        }
    }
    cases.sort_by(|a, b| a.test.case.cmp(&b.test.case));
    Ok(cases)
}

impl Case {
    fn new(name: String, set: &TestSet, graph: &Surveyed) -> Self {
        let test = Test {
            case: name,
            graph: graph.file.path.clone(),
            rtol: set.rtol,
            atol: set.atol,
            shapes: BTreeMap::new(),
        };
        let members = Vec::new();
        Self { test, members }
    }

    /// Adds an input or output; of an input, its shape.
    fn add(&mut self, set: &TestSet, graph: &Surveyed, location: PathBuf) -> Result<(), PlanError> {
        let file_name = name_of(&location)?;
        let name: FilePath = format!("{}/{file_name}", self.test.case).parse()?;
        let path = format!("{TESTS_FOLDER}/{name}").parse()?;
        let mut file = ModelFile::new(path, location)?;
        file.executable = false;
        let input = graph
            .model
            .as_ref()
            .and_then(|model| input(model, &file_name));
        if let Some(input) = input {
            let handle = file.open().map_err(PlanError::Read)?;
            let shape = onnx::tensor_shape(&handle);
            let shape = shape.map_err(|error| fault(set, format!("`{name}`: {error}")))?;
            self.test.shapes.insert(input.to_owned(), shape);
        }
        let file = Arc::new(file);
        self.members.push(Member { name, file });
        Ok(())
    }
}

/// The graph that a set is for.
fn graph_of(survey: &Survey, set: &TestSet) -> Result<usize, PlanError> {
    let graphs: Vec<usize> = survey.graphs().map(|(index, _)| index).collect();
    let path = |index: &usize| &survey.files[*index].file.path;
    match (&set.graph, graphs.as_slice()) {
        (Some(graph), _) => graphs
            .iter()
            .copied()
            .find(|index| path(index) == graph)
            .ok_or_else(|| fault(set, format!("`{graph}` is not an ONNX graph of this model"))),
        (None, [only]) => Ok(*only),
        (None, []) => Err(fault(set, "the model has no ONNX graph".to_owned())),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|index| path(index).as_str()).collect();
            let names = names.join("`, `");
            let reason = format!("the model has several graphs: say which, of `{names}`");
            Err(fault(set, reason))
        }
    }
}

/// The folders in a folder, sorted by name.
fn folders(folder: &Path) -> Result<BTreeMap<String, PathBuf>, PlanError> {
    let failed = |source| SourceError::io(folder, source);
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.insert(name_of(&path)?, path);
        }
    }
    Ok(found)
}

/// The names of a case's files, sorted: numbered from 0 without a gap, and nothing else.
fn data_files(set: &TestSet, folder: &Path) -> Result<Vec<String>, PlanError> {
    let failed = |source| SourceError::io(folder, source);
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = name_of(&entry.map_err(failed)?.path())?;
        if name.ends_with(".pb") {
            names.insert(name);
        }
    }
    let numbered = |kind: &str| {
        (0..names.len())
            .map(|n| format!("{kind}_{n}.pb"))
            .take_while(|name| names.contains(name))
            .count()
    };
    let (inputs, outputs) = (numbered("input"), numbered("output"));
    if inputs + outputs != names.len() || (outputs == 0 && inputs > 0) {
        let folder = folder.display();
        let reason = format!(
            "`{folder}` should hold `input_N.pb` and `output_N.pb`, both numbered from 0 without a gap"
        );
        return Err(fault(set, reason));
    }
    Ok(names.into_iter().collect())
}

/// The name of the input that a file is for, if that is a tensor.
fn input<'a>(model: &'a Model, file_name: &str) -> Option<&'a str> {
    let number = file_name.strip_prefix("input_")?.strip_suffix(".pb")?;
    let input = model.inputs.get(number.parse::<usize>().ok()?)?;
    let is_tensor = DataType::from_name(&input.dtype).is_some();
    is_tensor.then_some(input.name.as_str())
}

/// A name that no other case has: sets of several graphs often use the same names.
fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let folded = |name: &str| {
        name.parse::<FilePath>()
            .map_or(name.to_owned(), |name| name.folded())
    };
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| taken.insert(folded(name)));
    free.expect("numbers do not end")
}

fn name_of(path: &Path) -> Result<String, PlanError> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| SourceError::NotUnicode(path.to_owned()))?;
    Ok(name.to_owned())
}

fn fault(set: &TestSet, reason: String) -> PlanError {
    PlanError::Tests {
        folder: set.folder.clone(),
        reason,
    }
}
