//! One graph, loaded: inputs by name → outputs in the order of the graph.
//!
//! A model gets here only after [`onnx::read`] and [`onnx::check`]: external data that escapes,
//! foreign operators and session options never reach ONNX Runtime (security rows A50 to A56). It is
//! loaded by its path, never from memory, so that external data has a folder that was checked.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use ort::session::{OutputSelector, RunOptions, SessionInputValue};

use super::Engine;
use super::value::{from_value, to_value};
use crate::model::{FilePath, ModelDir, folder};
use crate::onnx::{self, ValueInfo};
use crate::run::interface::{accepts, is_tensor};
use crate::run::{RunError, Tensor};

/// How ONNX Runtime executes a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOptions {
    /// Threads within an operator; 0 is one for each core. The results of many operators depend on
    /// it in their last bits.
    pub threads: usize,
}

impl Default for SessionOptions {
    /// One thread: what is recorded on one machine is computed in the same order on another.
    fn default() -> Self {
        Self { threads: 1 }
    }
}

/// A graph that ONNX Runtime has loaded.
#[derive(Debug)]
pub struct Session {
    graph: String,
    inputs: Vec<ValueInfo>,
    outputs: Vec<ValueInfo>,
    inner: ort::session::Session,
}

impl Session {
    /// Loads a graph of a verified folder. Fails where the checks or ONNX Runtime refuse it.
    pub fn load(
        engine: &Engine,
        dir: &ModelDir,
        graph: &FilePath,
        options: SessionOptions,
    ) -> Result<Self, RunError> {
        Self::open(engine, dir.root(), graph, options)
    }

    /// Loads a graph of a folder that nobody verified: the packer's own.
    pub(in crate::run) fn open(
        engine: &Engine,
        root: &Path,
        graph: &FilePath,
        options: SessionOptions,
    ) -> Result<Self, RunError> {
        let model = inspect(root, graph)?;
        let does_not_load = |message: String| RunError::Runtime {
            graph: graph.to_string(),
            does: "does not load it",
            message,
        };
        let inner = session(engine, &graph.under(root), options);
        let inner = inner.map_err(|error| does_not_load(one_line(error.message())))?;
        let session = Self {
            graph: graph.to_string(),
            inputs: model.inputs,
            outputs: model.outputs,
            inner,
        };
        session.agrees().map_err(does_not_load)?;
        Ok(session)
    }

    /// The path of the graph.
    pub fn graph(&self) -> &str {
        &self.graph
    }

    /// What the graph takes, in its order; initializers are not inputs.
    pub fn inputs(&self) -> &[ValueInfo] {
        &self.inputs
    }

    /// What the graph gives, in its order.
    pub fn outputs(&self) -> &[ValueInfo] {
        &self.outputs
    }

    /// Runs the graph once. Every input must be given; outputs that are not dense tensors
    /// (sequences, maps, optional values) are not computed and are `None`.
    pub fn run(&mut self, inputs: &[(String, Tensor)]) -> Result<Vec<Option<Tensor>>, RunError> {
        let wrong = |what: String| RunError::Interface {
            graph: self.graph.clone(),
            what,
        };
        accepts(&self.inputs, inputs).map_err(wrong)?;
        let wanted: Vec<bool> = self.outputs.iter().map(is_tensor).collect();
        if !wanted.contains(&true) {
            return Err(wrong("none of its outputs is a tensor".to_owned()));
        }
        let computed = self.compute(inputs);
        let mut computed = computed
            .map_err(|error| RunError::Runtime {
                graph: self.graph.clone(),
                does: "failed",
                message: one_line(error.message()),
            })?
            .into_iter();
        let pick = |wanted| if wanted { computed.next() } else { None };
        Ok(wanted.into_iter().map(pick).collect())
    }

    /// The dense outputs, in their order.
    fn compute(&mut self, inputs: &[(String, Tensor)]) -> ort::Result<Vec<Tensor>> {
        let names = self.outputs.iter().filter(|output| is_tensor(output));
        let selector = names.fold(OutputSelector::no_default(), |selector, output| {
            selector.with(&output.name)
        });
        let options = RunOptions::new()?.with_outputs(selector);
        let values: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = inputs
            .iter()
            .map(|(name, tensor)| Ok((name.as_str().into(), to_value(tensor)?.into())))
            .collect::<ort::Result<_>>()?;
        let outputs = self.inner.run_with_options(values, &options)?;
        outputs.values().map(|value| from_value(&value)).collect()
    }

    /// Checks that ONNX Runtime sees the interface that was read from the file.
    fn agrees(&self) -> Result<(), String> {
        let ours = |values: &[ValueInfo]| -> Vec<String> {
            values.iter().map(|value| value.name.clone()).collect()
        };
        let theirs = |outlets: &[ort::value::Outlet]| -> Vec<String> {
            outlets
                .iter()
                .map(|outlet| outlet.name().to_owned())
                .collect()
        };
        for (what, ours, theirs) in [
            ("inputs", ours(&self.inputs), theirs(self.inner.inputs())),
            ("outputs", ours(&self.outputs), theirs(self.inner.outputs())),
        ] {
            if ours != theirs {
                return Err(format!("it sees the {what} {theirs:?}, expected {ours:?}"));
            }
        }
        match self.outputs.iter().find(|output| output.name.is_empty()) {
            Some(_) => Err("an output has no name".to_owned()),
            None => Ok(()),
        }
    }
}

/// Reads a graph and checks what must hold before ONNX Runtime sees it. The graph itself may be
/// behind a link, which a packer's file can be; a verified folder has none.
fn inspect(root: &Path, graph: &FilePath) -> Result<onnx::Model, RunError> {
    let path = graph.under(root);
    let file = fs::canonicalize(&path).and_then(|real| folder::open_regular(&real));
    let file = file.map_err(|cause| RunError::Io { path, cause })?;
    let refused = |fault| RunError::Refused {
        graph: graph.to_string(),
        fault,
    };
    let model = onnx::read(&file).map_err(refused)?;
    onnx::check(&model, root, graph.as_str()).map_err(refused)?;
    Ok(model)
}

fn session(
    engine: &Engine,
    path: &Path,
    options: SessionOptions,
) -> ort::Result<ort::session::Session> {
    let builder = ort::session::Session::builder(engine.environment())?;
    let plain = |error: ort::Error<_>| ort::Error::new(error.message());
    builder
        .with_intra_threads(options.threads)
        .map_err(plain)?
        .with_deterministic_compute(true)
        .map_err(plain)?
        .commit_from_file(path)
}

/// ONNX Runtime's messages run over many lines and name its own source files.
fn one_line(message: &str) -> String {
    const LONGEST: usize = 1000;
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST).collect()
}
