//! `--record`: the graphs that are to be packed → smoke tests in a temporary folder, made by running
//! them on seeded inputs.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use modelctl::plan::{self, PlanOptions, TestSet};
use tempfile::TempDir;

use super::task::Record;
use super::{RuntimeOptions, Task, delegate};
use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::InputArgs;
use crate::output::Output;
use crate::reports::Recorded;

/// What is recorded, and how.
pub(crate) struct Recording {
    /// The file or folder that is packed.
    pub(crate) path: PathBuf,
    /// How many cases for each graph.
    pub(crate) cases: u32,
    /// How the inputs are made.
    pub(crate) inputs: InputArgs,
    /// Where ONNX Runtime is.
    pub(crate) runtime: RuntimeOptions,
}

/// Records in a worker. The tests are in the folder, which goes when it is dropped.
pub(crate) async fn record(
    recording: Recording,
    options: &PlanOptions,
    context: &Context,
    output: &mut Output,
) -> Result<(Vec<TestSet>, TempDir), Failure> {
    let (path, selection) = (recording.path, options.clone());
    let graphs = blocking(move || plan::graphs(&path, &selection)).await;
    let (root, graphs) = graphs.map_err(modelctl::Error::from)?;
    if graphs.is_empty() {
        return Err(Failure::Option {
            option: "--record",
            reason: "there is no ONNX graph to run".to_owned(),
        });
    }
    let unusable = |source| Failure::File {
        path: std::env::temp_dir(),
        source,
    };
    let folder = TempDir::new().map_err(unusable)?;
    let task = Task::Record(Record {
        root: std::path::absolute(root).map_err(unusable)?,
        graphs,
        cases: recording.cases,
        inputs: recording.inputs,
        target: folder.path().to_owned(),
    });
    let report = folder.path().join("report.json");
    let streams = (
        output.style(),
        Stdio::from(File::create(&report).map_err(unusable)?),
    );
    delegate(task, &recording.runtime, context, streams).await?;
    let report = fs::read(&report).map_err(unusable)?;
    let recorded = serde_json::from_slice(&report).map_err(|error| unusable(error.into()));
    let recorded: Vec<Recorded> = recorded?;
    let mut sets = Vec::new();
    for set in recorded {
        for name in &set.left_out {
            let graph = &set.graph;
            output.warn(format_args!(
                "output `{name}` of `{graph}` is no tensor and was not recorded"
            ))?;
        }
        sets.push(TestSet::new(set.folder, Some(set.graph)));
    }
    Ok((sets, folder))
}
