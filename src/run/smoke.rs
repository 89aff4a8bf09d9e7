//! The smoke test: a verified folder → its own cases run, and compared with what it stores.
//!
//! An artifact without cases is run once on made inputs, which shows that it runs and no more.

use std::collections::BTreeMap;
use std::time::Instant;

use super::case::{Case, Stored};
use super::choose::{no_graph, one_graph};
use super::generate::settle;
use super::report::micros;
use super::{
    CaseReport, Engine, InputOptions, InputReport, Outcome, OutputReport, RunError, Runtime,
    Session, SessionOptions, SmokeReport, Tensor, Tolerance, Uncompared, compare,
};
use crate::model::{FilePath, ModelDir, Test};

/// How a smoke test is run.
#[derive(Debug, Clone, Default)]
pub struct SmokeOptions {
    /// The graph to test; all of them if none is named.
    pub graph: Option<FilePath>,
    /// Relative tolerance instead of the stored one.
    pub rtol: Option<f64>,
    /// Absolute tolerance instead of the stored one.
    pub atol: Option<f64>,
    /// How inputs are made where no case is stored.
    pub inputs: InputOptions,
    /// How ONNX Runtime executes the graphs.
    pub session: SessionOptions,
}

/// Runs the cases of a model. Outputs that differ are in the report, not an error; see
/// [`SmokeReport::verdict`].
pub fn smoke_test(
    engine: &Engine,
    dir: &ModelDir,
    options: &SmokeOptions,
) -> Result<SmokeReport, RunError> {
    let mut cases = Vec::new();
    for (graph, tests) in chosen(dir, options.graph.as_ref())? {
        let mut session = Session::load(engine, dir, graph, options.session)?;
        if tests.is_empty() {
            cases.push(made(&mut session, &options.inputs)?);
        }
        for test in tests {
            cases.push(stored(dir, test, &mut session, options)?);
        }
    }
    Ok(SmokeReport {
        runtime: Runtime::of(engine),
        cases,
    })
}

/// The graphs to test with their cases. Where some graph has cases, those without are left out
/// unless they are asked for.
fn chosen<'a>(
    dir: &'a ModelDir,
    wanted: Option<&FilePath>,
) -> Result<BTreeMap<&'a FilePath, Vec<&'a Test>>, RunError> {
    let mut tests: BTreeMap<&FilePath, Vec<&Test>> = BTreeMap::new();
    for graph in &dir.manifest().graphs {
        tests.insert(&graph.path, Vec::new());
    }
    for test in &dir.manifest().tests {
        tests.entry(&test.graph).or_default().push(test);
    }
    match wanted {
        Some(graph) => {
            one_graph(dir.manifest(), Some(graph))?;
            tests.retain(|path, _| *path == graph);
        }
        None if tests.is_empty() => return Err(no_graph(dir.manifest(), None)),
        None if tests.values().any(|tests| !tests.is_empty()) => {
            tests.retain(|_, tests| !tests.is_empty());
        }
        None => {}
    }
    Ok(tests)
}

/// Runs a stored case and compares.
fn stored(
    dir: &ModelDir,
    test: &Test,
    session: &mut Session,
    options: &SmokeOptions,
) -> Result<CaseReport, RunError> {
    let case = Case::load(dir, test, session)?;
    let tolerance = Tolerance {
        rtol: options.rtol.unwrap_or(test.rtol),
        atol: options.atol.unwrap_or(test.atol),
    };
    let start = Instant::now();
    let computed = session.run(&case.inputs)?;
    let time = start.elapsed();
    let judge = |index: usize, actual: &Tensor| match case.outputs.get(&index) {
        Some(Stored::Tensor(expected)) => Outcome::Compared(compare(actual, expected, tolerance)),
        Some(Stored::Other) => Outcome::Uncompared(Uncompared::NotTensor),
        None => Outcome::Uncompared(Uncompared::NotStored),
    };
    Ok(CaseReport {
        case: Some(test.case.clone()),
        graph: session.graph().to_owned(),
        inputs: inputs(&case.inputs),
        micros: micros(time),
        tolerance: Some(tolerance),
        outputs: outputs(session, &computed, judge),
    })
}

/// Runs a graph once on made inputs.
fn made(session: &mut Session, options: &InputOptions) -> Result<CaseReport, RunError> {
    let settled = settle(session, options)?;
    let judge = |_, _: &Tensor| Outcome::Uncompared(Uncompared::NotStored);
    Ok(CaseReport {
        case: None,
        graph: session.graph().to_owned(),
        inputs: inputs(&settled.inputs),
        micros: micros(settled.time),
        tolerance: None,
        outputs: outputs(session, &settled.outputs, judge),
    })
}

fn outputs(
    session: &Session,
    computed: &[Option<Tensor>],
    judge: impl Fn(usize, &Tensor) -> Outcome,
) -> Vec<OutputReport> {
    let pairs = session.outputs().iter().zip(computed).enumerate();
    pairs
        .map(|(index, (output, tensor))| OutputReport {
            name: output.name.clone(),
            dtype: output.dtype.clone(),
            shape: tensor.as_ref().map(|tensor| tensor.shape().to_vec()),
            outcome: match tensor {
                Some(tensor) => judge(index, tensor),
                None => Outcome::Uncompared(Uncompared::NotTensor),
            },
        })
        .collect()
}

fn inputs(inputs: &[(String, Tensor)]) -> Vec<InputReport> {
    let inputs = inputs.iter().map(|(name, tensor)| InputReport {
        name: name.clone(),
        dtype: tensor.dtype().name(),
        shape: tensor.shape().to_vec(),
    });
    inputs.collect()
}
