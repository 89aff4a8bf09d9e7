//! ONNX graphs that no library writes: the parts that hostile models are made of, on top of
//! [`super::models`].

use super::models::{FLOAT, INT64, bytes, number, tensor};

/// A ModelProto around a GraphProto: IR 8, operator set 17, and one of a domain if that is not
/// empty.
pub(crate) fn model(graph: &[u8], domain: &str) -> Vec<u8> {
    let mut model = super::models::model(graph);
    if !domain.is_empty() {
        model.extend(bytes(8, [bytes(1, domain), number(2, 1)].concat()));
    }
    model
}

/// A node of a graph, as a field of it, with attributes or none.
pub(crate) fn node(
    (domain, operator): (&str, &str),
    inputs: &[&str],
    outputs: &[&str],
    attributes: &[u8],
) -> Vec<u8> {
    let inputs: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name)).collect();
    let outputs: Vec<u8> = outputs.iter().flat_map(|name| bytes(2, name)).collect();
    let operator = [bytes(4, operator), bytes(7, domain)].concat();
    bytes(1, [&inputs[..], &outputs, &operator, attributes].concat())
}

/// An attribute, as a field of a node: its value is a field, too, and its type a number.
pub(crate) fn attribute(name: &str, value: &[u8], kind: u64) -> Vec<u8> {
    bytes(5, [&bytes(1, name)[..], value, &number(20, kind)].concat())
}

/// A ValueInfoProto of a tensor; `None` is a dimension of unknown length.
pub(crate) fn value(name: &str, data_type: u64, dims: &[Option<u64>]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|dim| bytes(1, dim.map_or(Vec::new(), |length| number(1, length))))
        .collect();
    let tensor = [number(1, data_type), bytes(2, dims)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// A TensorProto of floats named `w` with external data of any keys.
pub(crate) fn external(dims: &[u64], entries: &[(&str, &str)]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| number(1, *dim)).collect();
    let entries: Vec<u8> = entries
        .iter()
        .flat_map(|(key, value)| bytes(13, [bytes(1, key), bytes(2, value)].concat()))
        .collect();
    let head = [number(2, FLOAT), bytes(8, "w")].concat();
    [dims, head, entries, number(14, 1)].concat()
}

/// A GraphProto of one node from `x` to `y`, two floats each, with an initializer or none.
pub(crate) fn single(node: &[u8], initializer: &[u8]) -> Vec<u8> {
    let initializer = match initializer {
        [] => Vec::new(),
        tensor => bytes(5, tensor),
    };
    let two = [Some(2)];
    let interface = [
        bytes(11, value("x", FLOAT, &two)),
        bytes(12, value("y", FLOAT, &two)),
    ];
    [node, &bytes(2, "graph"), &initializer, &interface.concat()].concat()
}

/// A GraphProto that adds an initializer `w` of two floats to `x`.
pub(crate) fn addition(initializer: &[u8]) -> Vec<u8> {
    single(&node(("", "Add"), &["x", "w"], &["y"], &[]), initializer)
}

/// A model with a Loop of 2^62 steps; the step computes `next` from `state`.
pub(crate) fn endless(step: Vec<u8>) -> Vec<u8> {
    const BOOL: u64 = 9;
    const GRAPH: u64 = 5;
    let state = |name| value(name, FLOAT, &[None]);
    let body = [
        node(("", "Identity"), &["go"], &["goes"], &[]),
        step,
        bytes(2, "body"),
        bytes(11, value("step", INT64, &[])),
        bytes(11, value("go", BOOL, &[])),
        bytes(11, state("state")),
        bytes(12, value("goes", BOOL, &[])),
        bytes(12, state("next")),
    ];
    let body = attribute("body", &bytes(6, body.concat()), GRAPH);
    let graph = [
        node(("", "Loop"), &["trips", "", "x"], &["y"], &body),
        bytes(2, "endless"),
        bytes(5, tensor("trips", INT64, &[], &(1u64 << 62).to_le_bytes())),
        bytes(11, value("x", FLOAT, &[Some(64)])),
        bytes(12, state("y")),
    ];
    model(&graph.concat(), "")
}
