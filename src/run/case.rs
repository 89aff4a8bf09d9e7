//! A stored test case: the `.pb` files of a verified folder → inputs and expected outputs.
//!
//! ```text
//! .modelctl/tests/<case>/input_0.pb  input_1.pb …  output_0.pb …     N counts in the graph's order
//! ```

use std::collections::BTreeMap;

use super::file::bounded;
use super::interface::is_tensor;
use super::{RunError, Session, Tensor, TensorError, decode_proto};
use crate::model::{File, ModelDir, OWN_FOLDER, Test};
use crate::onnx::ValueInfo;

/// What a case gives to a graph, and what it must get.
pub(super) struct Case {
    /// By name, in the order of the graph.
    pub(super) inputs: Vec<(String, Tensor)>,
    /// By index into the graph's outputs; those that are not stored are not compared.
    pub(super) outputs: BTreeMap<usize, Stored>,
}

/// An expected output.
pub(super) enum Stored {
    Tensor(Tensor),
    /// A value that is no tensor.
    Other,
}

impl Case {
    /// Reads the files of a case that the manifest lists, and nothing else.
    pub(super) fn load(dir: &ModelDir, test: &Test, session: &Session) -> Result<Self, RunError> {
        let (mut inputs, mut outputs) = (Vec::new(), BTreeMap::new());
        let files = files(dir, test);
        for (index, input) in session.inputs().iter().enumerate() {
            let file = files.get(&Part::Input(index)).ok_or_else(|| {
                let name = &input.name;
                wrong(test, format!("no `input_{index}.pb` for input `{name}`"))
            })?;
            inputs.push((input.name.clone(), read(dir, file)?));
        }
        for (part, file) in &files {
            match part {
                Part::Input(index) => within(test, *index, "input", session.inputs())?,
                Part::Output(index) => {
                    within(test, *index, "output", session.outputs())?;
                    outputs.insert(*index, expected(dir, file, &session.outputs()[*index])?);
                }
            }
        }
        Ok(Self { inputs, outputs })
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Input(usize),
    Output(usize),
}

/// The files of a case by what they are.
fn files<'a>(dir: &'a ModelDir, test: &Test) -> BTreeMap<Part, &'a File> {
    let folder = format!("{OWN_FOLDER}/tests/{}", test.case);
    let files = dir.manifest().files.iter();
    files
        .filter(|file| file.path.parent() == folder)
        .filter_map(|file| Some((part(file.path.file_name())?, file)))
        .collect()
}

/// `input_3.pb` → the input 3.
fn part(name: &str) -> Option<Part> {
    let (kind, index) = name.strip_suffix(".pb")?.split_once('_')?;
    let index = index.parse().ok()?;
    match kind {
        "input" => Some(Part::Input(index)),
        "output" => Some(Part::Output(index)),
        _ => None,
    }
}

fn within(test: &Test, index: usize, what: &str, values: &[ValueInfo]) -> Result<(), RunError> {
    if index < values.len() {
        return Ok(());
    }
    let count = values.len();
    Err(wrong(
        test,
        format!("`{what}_{index}.pb`, but the graph has {count} {what}s"),
    ))
}

fn expected(dir: &ModelDir, file: &File, output: &ValueInfo) -> Result<Stored, RunError> {
    match read(dir, file) {
        Ok(tensor) => Ok(Stored::Tensor(tensor)),
        // A sequence or map is not compared, but not an error either: the report says so.
        Err(RunError::Tensor {
            fault: TensorError::Unsupported(_),
            ..
        }) if !is_tensor(output) => Ok(Stored::Other),
        Err(error) => Err(error),
    }
}

fn read(dir: &ModelDir, file: &File) -> Result<Tensor, RunError> {
    let bytes = dir.open(file).and_then(bounded);
    let bytes = bytes.map_err(|cause| RunError::Io {
        path: file.path.under(dir.root()),
        cause,
    })?;
    let decoded = decode_proto(&bytes).map_err(|fault| RunError::Tensor {
        place: file.path.to_string(),
        fault,
    })?;
    Ok(decoded.1)
}

fn wrong(test: &Test, what: String) -> RunError {
    RunError::Interface {
        graph: test.graph.to_string(),
        what: format!("test `{}`: {what}", test.case),
    }
}
