//! The reports of `run`, and what `--record` hands back.

use std::fmt;
use std::path::PathBuf;

use modelctl::model::FilePath;
use modelctl::run::{CaseReport, Comparison, Outcome, OutputReport, SmokeReport, Uncompared};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;
use crate::text::{Table, count};

/// Smoke tests: as text a line for each output of each case.
#[derive(Serialize)]
pub(crate) struct SmokeTestReport {
    /// What was run.
    pub(crate) name: String,
    /// The cases.
    #[serde(flatten)]
    pub(crate) report: SmokeReport,
    /// Whether `--shape` or `--range` was given and no input was made.
    #[serde(skip)]
    pub(crate) has_unused_options: bool,
}

impl SmokeTestReport {
    /// Fails where an output differs; says so where nothing could be compared.
    pub(crate) fn verdict(&self, output: &mut Output) -> Result<(), Failure> {
        if self.has_unused_options {
            output.warn(
                "--shape and --range were not used: the artifact has smoke tests of its own",
            )?;
        }
        self.report.verdict().map_err(modelctl::Error::from)?;
        let runtime = &self.report.runtime.version;
        match self.report.compared() {
            0 => output
                .warn("the model ran, but nothing was compared: the artifact has no smoke tests")?,
            compared => output.note(format_args!(
                "{}: {} equal, with ONNX Runtime {runtime}",
                self.name,
                count(compared, "output")
            ))?,
        }
        Ok(())
    }
}

impl fmt::Display for SmokeTestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::with_head([
            "CASE", "GRAPH", "OUTPUT", "TYPE", "RESULT", "ABSOLUTE", "RELATIVE", "TIME",
        ]);
        for case in &self.report.cases {
            for output in &case.outputs {
                table.row(row(case, output));
            }
        }
        table.fmt(f)
    }
}

fn row(case: &CaseReport, output: &OutputReport) -> [String; 8] {
    let shape = output
        .shape
        .as_ref()
        .map(|shape| format!("{shape:?}").replace(' ', ""));
    let (result, absolute, relative) = errors(&output.outcome);
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
    let milliseconds = case.micros as f64 / 1000.0;
    [
        case.case.clone().unwrap_or_else(|| "(made)".to_owned()),
        case.graph.clone(),
        output.name.clone(),
        format!("{}{}", output.dtype, shape.unwrap_or_default()),
        result,
        absolute,
        relative,
        format!("{milliseconds:.3} ms"),
    ]
}

/// How an output compares: a word, the largest absolute and the largest relative error.
fn errors(outcome: &Outcome) -> (String, String, String) {
    let (word, errors) = match outcome {
        Outcome::Compared(Comparison::Equal(errors)) => ("equal".to_owned(), Some(errors)),
        Outcome::Compared(Comparison::Different(errors)) => {
            let count = format!("DIFFERS ({} of {})", errors.differing, errors.elements);
            (count, Some(errors))
        }
        Outcome::Compared(Comparison::Dtype { expected, actual }) => {
            (format!("DIFFERS (expected {expected}, got {actual})"), None)
        }
        Outcome::Compared(Comparison::Shape { expected, actual }) => (
            format!("DIFFERS (expected {expected:?}, got {actual:?})"),
            None,
        ),
        Outcome::Uncompared(Uncompared::NotStored) => ("not stored".to_owned(), None),
        Outcome::Uncompared(Uncompared::NotTensor) => ("no tensor".to_owned(), None),
    };
    let shown = |value: Option<f64>| match value {
        None => "-".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) => format!("{value:.3e}"),
    };
    let absolute = shown(errors.map(|errors| errors.largest_absolute));
    let relative = shown(errors.map(|errors| errors.largest_relative));
    (word, absolute, relative)
}

/// The outputs of one run.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum InferenceReport {
    /// By name; the text is JSON as well.
    Values(Value),
    /// The files that they were written to; as text one a line.
    Files(Vec<PathBuf>),
}

impl fmt::Display for InferenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => write!(f, "{values:#}"),
            Self::Files(files) => files
                .iter()
                .try_for_each(|file| writeln!(f, "{}", file.display())),
        }
    }
}

/// The smoke tests of a graph that were made, as a worker hands them to `pack`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The path of the graph.
    pub(crate) graph: FilePath,
    /// The folder of the cases.
    pub(crate) folder: PathBuf,
    /// Outputs that are no tensors and were not recorded.
    pub(crate) left_out: Vec<String>,
}
