//! What a smoke test found → the record of it that is signed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use modelctl::oci::timestamp;
use modelctl::run::{
    CaseReport, Comparison, Errors, Outcome, OutputReport, RunError, SmokeReport, Uncompared,
};
use modelctl::trust::predicate::{
    CompareResult, Platform, SmokeTest, TestedCase, TestedOutput, TestedRuntime, Tolerance,
};

/// Writes the record into a file, for the process that has the key.
pub(super) fn write(
    report: &SmokeReport,
    threads: usize,
    (time, path): &(SystemTime, impl AsRef<Path>),
) -> Result<(), RunError> {
    let record = SmokeTest {
        started_on: timestamp(*time).unwrap_or_default(),
        runtime: TestedRuntime {
            name: "ONNX Runtime".to_owned(),
            version: report.runtime.version.clone(),
            threads: threads as u64,
        },
        platform: Platform {
            os: std::env::consts::OS.to_owned(),
            architecture: std::env::consts::ARCH.to_owned(),
        },
        cases: report.cases.iter().map(case).collect(),
    };
    let path = path.as_ref();
    let written = serde_json::to_vec(&record).map_err(std::io::Error::from);
    let written = written.and_then(|json| fs::write(path, json));
    written.map_err(|cause| RunError::Io {
        path: path.to_owned(),
        cause,
    })
}

fn case(case: &CaseReport) -> TestedCase {
    TestedCase {
        case: case.case.clone(),
        graph: case.graph.clone(),
        micros: case.micros,
        tolerance: case.tolerance.map(|tolerance| Tolerance {
            rtol: tolerance.rtol,
            atol: tolerance.atol,
        }),
        outputs: case.outputs.iter().map(output).collect(),
    }
}

fn output(output: &OutputReport) -> TestedOutput {
    let (result, errors) = match &output.outcome {
        Outcome::Compared(Comparison::Equal(errors)) => (CompareResult::Equal, Some(errors)),
        Outcome::Compared(Comparison::Different(errors)) => {
            (CompareResult::Different, Some(errors))
        }
        Outcome::Compared(Comparison::Dtype { .. }) => (CompareResult::Dtype, None),
        Outcome::Compared(Comparison::Shape { .. }) => (CompareResult::Shape, None),
        Outcome::Uncompared(Uncompared::NotStored) => (CompareResult::NotStored, None),
        Outcome::Uncompared(Uncompared::NotTensor) => (CompareResult::NotTensor, None),
    };
    let finite = |value: fn(&Errors) -> f64| {
        let value = errors.map(value);
        value.filter(|value| value.is_finite())
    };
    TestedOutput {
        name: output.name.clone(),
        dtype: output.dtype.clone(),
        shape: output.shape.clone(),
        result,
        elements: errors.map(|errors| errors.elements),
        differing: errors.map(|errors| errors.differing),
        largest_absolute: finite(|errors| errors.largest_absolute),
        largest_relative: finite(|errors| errors.largest_relative),
    }
}
