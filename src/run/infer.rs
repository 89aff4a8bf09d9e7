//! One run on inputs that the user gives: files → outputs, as JSON or files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Map, Value};

use super::choose::one_graph;
use super::interface::is_tensor;
use super::report::micros;
use super::{
    Engine, RunError, Runtime, Session, SessionOptions, Tensor, TensorError, decode_npy,
    decode_proto, encode_npy, encode_proto, file, from_json, to_json,
};
use crate::model::{FilePath, ModelDir};
use crate::onnx::{DataType, ValueInfo};

/// How a model is run once.
#[derive(Debug, Clone, Default)]
pub struct InferOptions {
    /// The graph to run; may be left out where there is only one.
    pub graph: Option<FilePath>,
    /// A `.npy`, `.json` or `.pb` file for each input, by name.
    pub inputs: Vec<(String, PathBuf)>,
    /// How ONNX Runtime executes the graph.
    pub session: SessionOptions,
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// What it ran on.
    pub runtime: Runtime,
    /// The path of the graph.
    pub graph: String,
    /// How long the run took, in microseconds; loading is not part of it.
    pub micros: u64,
    /// The outputs by name, in the order of the graph; `None` where one is no tensor.
    pub outputs: Vec<(String, Option<Tensor>)>,
}

/// Runs a graph once.
pub fn infer(
    engine: &Engine,
    dir: &ModelDir,
    options: &InferOptions,
) -> Result<Inference, RunError> {
    let graph = one_graph(dir.manifest(), options.graph.as_ref())?;
    let mut session = Session::load(engine, dir, graph, options.session)?;
    let mut inputs = Vec::new();
    for (name, path) in &options.inputs {
        let input = session.inputs().iter().find(|input| input.name == *name);
        // An unknown name is refused by the session, which knows the others.
        inputs.push((name.clone(), read(path, input)?));
    }
    let start = Instant::now();
    let outputs = session.run(&inputs)?;
    let micros = micros(start.elapsed());
    let names = session.outputs().iter().map(|output| output.name.clone());
    Ok(Inference {
        runtime: Runtime::of(engine),
        graph: graph.to_string(),
        micros,
        outputs: names.zip(outputs).collect(),
    })
}

/// Reads a tensor file by its extension.
fn read(path: &Path, input: Option<&ValueInfo>) -> Result<Tensor, RunError> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let bytes = file::read(path)?;
    let tensor = match extension {
        Some("npy") => decode_npy(&bytes),
        Some("pb") => decode_proto(&bytes).map(|(_, tensor)| tensor),
        Some("json") => json(&bytes, input),
        _ => {
            let what = "a file that ends in none of .npy, .json and .pb";
            Err(TensorError::Unsupported(what.to_owned()))
        }
    };
    tensor.map_err(|fault| RunError::Tensor {
        place: path.display().to_string(),
        fault,
    })
}

fn json(bytes: &[u8], input: Option<&ValueInfo>) -> Result<Tensor, TensorError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| TensorError::Malformed {
        format: "JSON",
        reason: error.to_string(),
    })?;
    let dtype = input.filter(|input| is_tensor(input));
    let dtype = dtype.and_then(|input| DataType::from_name(&input.dtype));
    from_json(&value, dtype.unwrap_or(DataType::FLOAT))
}

impl Inference {
    /// The outputs as one JSON object, by name; `null` where one is no tensor.
    pub fn to_json(&self) -> Result<Value, RunError> {
        let mut outputs = Map::new();
        for (name, tensor) in &self.outputs {
            let value = tensor.as_ref().map(to_json).transpose();
            let value = value.map_err(|fault| RunError::Tensor {
                place: name.clone(),
                fault,
            })?;
            outputs.insert(name.clone(), value.unwrap_or_default());
        }
        Ok(outputs.into())
    }

    /// Writes the outputs into a folder: `output_N.npy`, or `output_N.pb` where NumPy has no such
    /// type. N counts in the graph's order, since names may hold anything.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, RunError> {
        let mut written = Vec::new();
        for (index, (name, tensor)) in self.outputs.iter().enumerate() {
            let Some(tensor) = tensor else {
                continue;
            };
            let (extension, bytes) = match encode_npy(tensor) {
                Some(bytes) => ("npy", bytes),
                None => ("pb", encode_proto(name, tensor)),
            };
            let path = folder.join(format!("output_{index}.{extension}"));
            file::write(&path, &bytes)?;
            written.push(path);
        }
        Ok(written)
    }
}
