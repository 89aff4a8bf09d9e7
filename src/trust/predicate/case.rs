//! The details of a smoke test: on what it ran, and how far every output was from the stored one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Verdict;

/// One smoke test of one artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmokeTest {
    /// When it began, RFC 3339 in UTC: the age of the record counts from here.
    pub started_on: String,
    /// What it ran on.
    pub runtime: TestedRuntime,
    /// The machine.
    pub platform: Platform,
    /// The cases, in the order of the model manifest.
    pub cases: Vec<TestedCase>,
}

/// What executed the graphs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestedRuntime {
    /// Its name, `ONNX Runtime`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Threads within an operator; 0 is one for each core.
    pub threads: u64,
}

/// The kind of machine, in the words of Rust's `std::env::consts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture of the processor, such as `x86_64`.
    pub architecture: String,
}

/// One run of one graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestedCase {
    /// The name of the case; absent where the inputs were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The path of the graph.
    pub graph: String,
    /// How long the run took, in microseconds, loading left out.
    pub micros: u64,
    /// What outputs were allowed to differ by; absent where there was nothing to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Tolerance>,
    /// The outputs, in the order of the graph.
    pub outputs: Vec<TestedOutput>,
}

/// How far a computed value may be from the stored one: `|a − e| ≤ atol + rtol · |e|`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tolerance {
    /// Relative to the stored value.
    pub rtol: f64,
    /// Absolute.
    pub atol: f64,
}

/// One output of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestedOutput {
    /// Its name.
    pub name: String,
    /// Its element type, or the kind of a value that is no tensor.
    pub dtype: String,
    /// Its shape as computed; absent for what is no tensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<u64>>,
    /// How it compares with the stored one.
    pub result: CompareResult,
    /// How many elements were compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<u64>,
    /// How many of them are further away than the tolerance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differing: Option<u64>,
    /// The largest `|a − e|`; absent where it is infinite or nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_absolute: Option<f64>,
    /// The largest `|a − e| / |e|`; absent where it is infinite or nothing was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_relative: Option<f64>,
}

/// How an output compares with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CompareResult {
    /// Nothing is further away than the tolerance.
    Equal,
    /// Something is.
    Different,
    /// The element types differ.
    Dtype,
    /// The shapes differ.
    Shape,
    /// The artifact stores nothing to compare it to.
    NotStored,
    /// It is a sequence, a map or an optional value, which are not compared.
    NotTensor,
}

impl TestedCase {
    /// `<graph>#<case>`, or the graph alone where the inputs were made.
    pub fn name(&self) -> String {
        match &self.case {
            Some(case) => format!("{}#{case}", self.graph),
            None => self.graph.clone(),
        }
    }

    /// What came of the case.
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::Warned;
        for output in &self.outputs {
            match output.result {
                CompareResult::Equal => verdict = Verdict::Passed,
                CompareResult::NotStored | CompareResult::NotTensor => {}
                CompareResult::Different | CompareResult::Dtype | CompareResult::Shape => {
                    return Verdict::Failed;
                }
            }
        }
        verdict
    }
}
