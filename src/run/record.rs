//! Making test cases: a packer's own folder and a seed → cases in the ONNX layout.
//!
//! ```text
//! <target>/<graph number>/recorded-0/input_0.pb … output_0.pb …
//! ```
//!
//! Names are unique over all graphs, so that the folders can be packed together. Everything is
//! computed on one thread and twice: a model whose outputs are not its inputs' alone is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::generate::{inputs, settle, unsuited};
use super::{
    Engine, InputOptions, RunError, Session, SessionOptions, Tensor, Tolerance, compare,
    encode_proto, file,
};
use crate::model::{FilePath, Test};

/// How cases are made.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// How many for each graph.
    pub cases: u32,
    /// How their inputs are made.
    pub inputs: InputOptions,
    /// What later runs may differ by.
    pub tolerance: Tolerance,
}

impl Default for RecordOptions {
    fn default() -> Self {
        Self {
            cases: 1,
            inputs: InputOptions::default(),
            tolerance: Tolerance::default(),
        }
    }
}

/// The cases of one graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// The path of the graph.
    pub graph: FilePath,
    /// The folder of its cases.
    pub folder: PathBuf,
    /// The cases, as the model manifest lists them.
    pub cases: Vec<Test>,
    /// Outputs that are no tensors and were not recorded.
    pub left_out: Vec<String>,
}

/// Runs the graphs of a folder on made inputs, and writes inputs and outputs below `target`. Unlike
/// everything else here it takes a plain folder: what is packed is the packer's own.
pub fn record(
    engine: &Engine,
    source: (&Path, &[FilePath]),
    options: &RecordOptions,
    target: &Path,
) -> Result<Vec<Recording>, RunError> {
    let (root, graphs) = source;
    let mut recordings = Vec::new();
    for (number, graph) in graphs.iter().enumerate() {
        let mut session = Session::open(engine, root, graph, SessionOptions::default())?;
        let mut recorder = Recorder {
            session: &mut session,
            options,
            folder: target.join(number.to_string()),
            first: number as u64 * u64::from(options.cases),
        };
        recordings.push(recorder.graph(graph)?);
    }
    Ok(recordings)
}

struct Recorder<'a> {
    session: &'a mut Session,
    options: &'a RecordOptions,
    folder: PathBuf,
    /// The number of the first case.
    first: u64,
}

impl Recorder<'_> {
    fn graph(&mut self, graph: &FilePath) -> Result<Recording, RunError> {
        let options = &self.options.inputs;
        let settled = settle(self.session, options)?;
        let interface = self.session.inputs().to_vec();
        let names = interface.iter().map(|input| input.name.clone());
        let shapes: BTreeMap<_, _> = names.zip(settled.shapes.iter().cloned()).collect();
        let mut cases = Vec::new();
        for case in 0..self.options.cases {
            let made = inputs(&interface, &settled.shapes, options, case);
            let made = made.map_err(|what| self.wrong(what))?;
            let outputs = match self.session.run(&made) {
                Err(RunError::Runtime { message, .. }) => {
                    return Err(unsuited(self.session, &settled.shapes, &message));
                }
                other => other?,
            };
            let again = self.session.run(&made)?;
            self.reproduced(&outputs, &again)?;
            let name = format!("recorded-{}", self.first + u64::from(case));
            self.write(&name, &made, &outputs)?;
            cases.push(Test {
                case: name,
                graph: graph.clone(),
                rtol: self.options.tolerance.rtol,
                atol: self.options.tolerance.atol,
                shapes: shapes.clone(),
            });
        }
        let outputs = self.session.outputs().iter().zip(&settled.outputs);
        let left_out = outputs.filter(|(_, tensor)| tensor.is_none());
        Ok(Recording {
            graph: graph.clone(),
            folder: self.folder.clone(),
            cases,
            left_out: left_out.map(|(output, _)| output.name.clone()).collect(),
        })
    }

    /// Refuses outputs that a second run does not give again: they would fail at every pull.
    fn reproduced(
        &self,
        first: &[Option<Tensor>],
        second: &[Option<Tensor>],
    ) -> Result<(), RunError> {
        for (output, pair) in self.session.outputs().iter().zip(first.iter().zip(second)) {
            let (Some(first), Some(second)) = pair else {
                continue;
            };
            if !compare(second, first, self.options.tolerance).is_equal() {
                let name = &output.name;
                let what = format!("output `{name}` differs between two runs on the same input");
                return Err(self.wrong(format!("{what}: a recorded test would always fail")));
            }
        }
        Ok(())
    }

    fn write(
        &self,
        case: &str,
        inputs: &[(String, Tensor)],
        outputs: &[Option<Tensor>],
    ) -> Result<(), RunError> {
        let folder = self.folder.join(case);
        for (index, (name, tensor)) in inputs.iter().enumerate() {
            let bytes = encode_proto(name, tensor);
            file::write(&folder.join(format!("input_{index}.pb")), &bytes)?;
        }
        let named = self.session.outputs().iter().zip(outputs).enumerate();
        for (index, (output, tensor)) in named {
            if let Some(tensor) = tensor {
                let bytes = encode_proto(&output.name, tensor);
                file::write(&folder.join(format!("output_{index}.pb")), &bytes)?;
            }
        }
        Ok(())
    }

    fn wrong(&self, what: String) -> RunError {
        RunError::Interface {
            graph: self.session.graph().to_owned(),
            what,
        }
    }
}
