//! Smoke tests: folders in the layout of ONNX (`<case>/{input,output}_N.pb`) → cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::content::Member;
use super::survey::Survey;
use super::{PlanError, TestSet};
use crate::model::source::{ModelFile, SourceError};
use crate::model::{FilePath, Test};
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
            let name = free_name(&name, &mut taken);
            cases.extend(Case::read(survey, (set, graph), &name, &folder)?);
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
    /// Reads a case; `None` where the folder has no test data.
    fn read(
        survey: &Survey,
        (set, graph): (&TestSet, usize),
        name: &str,
        folder: &Path,
    ) -> Result<Option<Self>, PlanError> {
        let source = &survey.files[graph];
        let model = source.model.as_ref().expect("only graphs have tests");
        let mut members = Vec::new();
        let mut shapes = BTreeMap::new();
        for file_name in data_files(set, folder)? {
            let path = format!(".modelctl/tests/{name}/{file_name}").parse()?;
            let mut file = ModelFile::new(path, folder.join(&file_name))?;
            file.executable = false;
            if let Some((input, shape)) = input_shape(model, &file_name, &file)? {
                shapes.insert(input, shape);
            }
            members.push(Member {
                name: format!("{name}/{file_name}").parse()?,
                file: Arc::new(file),
            });
        }
        if members.is_empty() {
            return Ok(None);
        }
        let test = Test {
            case: name.to_owned(),
            graph: source.file.path.clone(),
            rtol: set.rtol,
            atol: set.atol,
            shapes,
        };
        Ok(Some(Self { test, members }))
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
fn folders(folder: &Path) -> Result<BTreeMap<String, std::path::PathBuf>, PlanError> {
    let failed = |source| PlanError::io(folder, source);
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
    let failed = |source| PlanError::io(folder, source);
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

/// The name and shape of an input, where the file holds a tensor.
fn input_shape(
    model: &Model,
    file_name: &str,
    file: &ModelFile,
) -> Result<Option<(String, Vec<u64>)>, PlanError> {
    let number = file_name
        .strip_prefix("input_")
        .and_then(|rest| rest.strip_suffix(".pb"));
    let number: Option<usize> = number.and_then(|number| number.parse().ok());
    let input = number.and_then(|number| model.inputs.get(number));
    let Some(input) = input.filter(|input| DataType::from_name(&input.dtype).is_some()) else {
        return Ok(None);
    };
    let handle = file.open().map_err(PlanError::Read)?;
    let shape = onnx::tensor_shape(&handle).map_err(|fault| PlanError::onnx(&file.path, fault))?;
    Ok(Some((input.name.clone(), shape)))
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
