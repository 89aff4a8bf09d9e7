//! What a smoke test found, as values: the binary prints them, a gate decides on them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::{Comparison, Engine, RunError, Tolerance};

/// The smoke test of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SmokeReport {
    /// What it ran on.
    pub runtime: Runtime,
    /// The cases, in the order of the manifest.
    pub cases: Vec<CaseReport>,
}

/// The ONNX Runtime that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// Its version.
    pub version: String,
    /// Its library.
    pub library: PathBuf,
}

/// One run of one graph.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseReport {
    /// The name of the case; `None` where the inputs were made.
    pub case: Option<String>,
    /// The path of the graph.
    pub graph: String,
    /// The inputs, in the order of the graph.
    pub inputs: Vec<InputReport>,
    /// How long the run took, in microseconds; loading is not part of it.
    pub micros: u64,
    /// What outputs were allowed to differ by; `None` where there is nothing to compare.
    pub tolerance: Option<Tolerance>,
    /// The outputs, in the order of the graph.
    pub outputs: Vec<OutputReport>,
}

/// One input of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputReport {
    /// Its name.
    pub name: String,
    /// Its element type.
    pub dtype: &'static str,
    /// Its shape.
    pub shape: Vec<u64>,
}

/// One output of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// Its element type, or the kind of a value that is no tensor.
    pub dtype: String,
    /// Its shape as computed.
    pub shape: Option<Vec<u64>>,
    /// How it compares with the stored one.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How an output compares with the stored one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was compared.
    Compared(Comparison),
    /// It was not.
    Uncompared(Uncompared),
}

/// Why an output was not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum Uncompared {
    /// The artifact stores no output for it.
    NotStored,
    /// It is a sequence, a map or an optional value.
    NotTensor,
}

impl Runtime {
    pub(super) fn of(engine: &Engine) -> Self {
        Self {
            version: engine.version().to_string(),
            library: engine.library().to_path_buf(),
        }
    }
}

impl SmokeReport {
    /// How many outputs were compared; with 0 the artifact has only been shown to run.
    pub fn compared(&self) -> usize {
        self.comparisons().count()
    }

    /// Fails where an output differs from the stored one.
    pub fn verdict(&self) -> Result<(), RunError> {
        let failed = self.comparisons().filter(|found| !found.is_equal()).count();
        if failed == 0 {
            return Ok(());
        }
        let total = self.compared();
        Err(RunError::Different { failed, total })
    }

    fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        let outputs = self.cases.iter().flat_map(|case| &case.outputs);
        outputs.filter_map(|output| match &output.outcome {
            Outcome::Compared(comparison) => Some(comparison),
            Outcome::Uncompared(_) => None,
        })
    }
}

/// A duration in whole microseconds.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
