//! Finding shapes that a graph runs with.

use std::time::{Duration, Instant};

use super::shapes::candidates;
use super::values::{InputOptions, inputs};
use crate::onnx::{Dim, ValueInfo};
use crate::run::{RunError, Session, Tensor};

/// A graph that ran with made inputs.
pub(in crate::run) struct Settled {
    /// One shape for each input.
    pub(in crate::run) shapes: Vec<Vec<u64>>,
    /// The inputs of the first case.
    pub(in crate::run) inputs: Vec<(String, Tensor)>,
    /// What it gave; `None` where an output is no tensor.
    pub(in crate::run) outputs: Vec<Option<Tensor>>,
    /// How long that run took.
    pub(in crate::run) time: Duration,
}

/// Tries shapes until the graph runs. Fails with ONNX Runtime's first message and the flag to give
/// where it runs with none.
pub(in crate::run) fn settle(
    session: &mut Session,
    options: &InputOptions,
) -> Result<Settled, RunError> {
    let interface = session.inputs().to_vec();
    let graph = session.graph().to_owned();
    let wrong = |what: String| RunError::Interface {
        graph: graph.clone(),
        what,
    };
    let candidates = candidates(&interface, &options.shapes).map_err(wrong)?;
    let tried = candidates.len();
    let mut first = None;
    for shapes in candidates {
        let inputs = inputs(&interface, &shapes, options, 0).map_err(wrong)?;
        let start = Instant::now();
        match session.run(&inputs) {
            Ok(outputs) => {
                return Ok(Settled {
                    shapes,
                    inputs,
                    outputs,
                    time: start.elapsed(),
                });
            }
            Err(RunError::Runtime { message, .. }) => {
                first.get_or_insert((message, shapes));
            }
            Err(other) => return Err(other),
        }
    }
    let Some((message, shapes)) = first else {
        let flag = flag(&interface);
        return Err(wrong(format!(
            "its inputs are too large to be made; {flag}"
        )));
    };
    let message = format!("{message} ({tried} tried)");
    Err(unsuited(session, &shapes, &message))
}

/// A failure on made inputs, which may be the inputs' fault: with their shapes and the flag to give.
pub(in crate::run) fn unsuited(session: &Session, shapes: &[Vec<u64>], message: &str) -> RunError {
    let interface = session.inputs();
    let (shapes, flag) = (listed(interface, shapes), flag(interface));
    RunError::Runtime {
        graph: session.graph().to_owned(),
        does: "does not run it on made inputs",
        message: format!("with {shapes}: {message}; {flag}"),
    }
}

/// `x=[1, 3, 64, 64], s=[]`.
fn listed(interface: &[ValueInfo], shapes: &[Vec<u64>]) -> String {
    let pairs = interface.iter().zip(shapes);
    let pairs: Vec<String> = pairs
        .map(|(input, shape)| format!("{}={shape:?}", input.name))
        .collect();
    pairs.join(", ")
}

/// What to say on the command line: shapes of inputs with open dimensions, else ranges.
fn flag(interface: &[ValueInfo]) -> String {
    let open = |input: &&ValueInfo| {
        let dims = input.shape.as_ref();
        dims.is_none_or(|dims| dims.iter().any(|dim| !matches!(dim, Dim::Fixed(_))))
    };
    let shapes: Vec<String> = interface
        .iter()
        .filter(open)
        .map(|input| {
            let dims = input.shape.iter().flatten();
            let dims: Vec<String> = dims
                .map(|dim| match dim {
                    Dim::Fixed(fixed) => fixed.to_string(),
                    Dim::Symbol(_) | Dim::Unknown => "64".to_owned(),
                })
                .collect();
            format!("`--shape {}={}`", input.name, dims.join(","))
        })
        .collect();
    if shapes.is_empty() {
        // Integers decide about shapes and indices more often than floats.
        let integer = |input: &&ValueInfo| input.dtype.contains("int");
        let input = interface.iter().find(integer).or(interface.first());
        let name = input.map_or("x", |input| &input.name);
        return format!("give a range that suits it, as in `--range {name}=1..8`");
    }
    format!("give shapes that suit it, as in {}", shapes.join(" "))
}
