//! Where tensors live, and what they are called there.

use super::build::{Proto, attr, constant, graph_of, model_of, op, parsed, raw};
use crate::onnx::wire::field::{attribute, function, graph, model, node, sparse, training};
use crate::onnx::{Content, Tensor};

fn identity(tensor: &Tensor) -> (&str, &str, bool) {
    let movable = matches!(tensor.content, Content::Inline { .. });
    (&tensor.scope, &tensor.name, movable)
}

fn identities(model: Proto) -> Vec<(String, String, bool)> {
    let tensors = parsed(&model.0).tensors;
    let found = tensors.iter().map(identity);
    found
        .map(|(scope, name, movable)| (scope.to_owned(), name.to_owned(), movable))
        .collect()
}

fn assert_identities(model: Proto, expected: &[(&str, &str, bool)]) {
    let found = identities(model);
    let found: Vec<(&str, &str, bool)> = found
        .iter()
        .map(|(scope, name, movable)| (scope.as_str(), name.as_str(), *movable))
        .collect();
    assert_eq!(found, expected);
}

/// A node that carries one attribute.
fn carrier(output: &str, attribute: Proto) -> Proto {
    op("Carrier", output).message(node::ATTRIBUTE, attribute)
}

fn sparse_of(name: &str) -> Proto {
    Proto::new()
        .message(sparse::VALUES, raw(name, b"1"))
        .message(sparse::INDICES, raw("", b"1"))
}

#[test]
fn tensors_of_the_main_graph_have_no_scope() {
    let nodes = [constant("c", raw("own name", b"1"))];
    let main =
        graph_of(&nodes, &[raw("W", b"2")]).message(graph::SPARSE_INITIALIZER, sparse_of("S"));
    assert_identities(
        model_of(main),
        &[
            ("", "c", true),
            ("", "W", true),
            ("", "S", false),
            ("", "", false),
        ],
    );
}

#[test]
fn attributes_are_scopes() {
    let tensors = Proto::new()
        .bytes(attribute::NAME, "many")
        .message(attribute::TENSORS, raw("t", b"1"))
        .message(attribute::TENSORS, raw("", b"2"));
    let nodes = [
        carrier("n", attr("table", attribute::T, raw("t", b"1"))),
        carrier("l", tensors),
        carrier(
            "s",
            attr("sparse", attribute::SPARSE_TENSOR, sparse_of("v")),
        ),
        // Only ONNX's own Constant gives its value a name.
        constant("own", raw("t", b"1")).bytes(node::DOMAIN, "com.example"),
    ];
    assert_identities(
        model_of(graph_of(&nodes, &[])),
        &[
            ("n/table", "t", true),
            ("l/many/0", "t", true),
            ("l/many/1", "", true),
            ("s/sparse", "v", false),
            ("s/sparse", "", false),
            ("own/value", "t", true),
        ],
    );
}

#[test]
fn subgraphs_are_scopes() {
    let inner = graph_of(&[constant("c", raw("", b"1"))], &[raw("W", b"1")]);
    let nested = graph_of(
        &[carrier("loop", attr("body", attribute::G, inner.clone()))],
        &[],
    );
    let list = Proto::new()
        .bytes(attribute::NAME, "cases")
        .message(attribute::GRAPHS, inner.clone())
        .message(attribute::GRAPHS, inner);
    // An output without a name is not there.
    let outer = op("If", "")
        .bytes(node::OUTPUT, "if")
        .message(node::ATTRIBUTE, attr("then", attribute::G, nested));
    assert_identities(
        model_of(graph_of(&[outer, carrier("switch", list)], &[])),
        &[
            ("if/then/loop/body", "c", true),
            ("if/then/loop/body", "W", true),
            ("switch/cases/0", "c", true),
            ("switch/cases/0", "W", true),
            ("switch/cases/1", "c", true),
            ("switch/cases/1", "W", true),
        ],
    );
}

#[test]
fn functions_and_training_are_scopes() {
    let defined = |overload: &str| {
        Proto::new()
            .bytes(function::NAME, "Norm")
            .message(function::NODE, constant("c", raw("", b"1")))
            .bytes(function::DOMAIN, "own")
            .message(
                function::ATTRIBUTE_PROTO,
                attr("eps", attribute::T, raw("d", b"1")),
            )
            .bytes(function::OVERLOAD, overload)
    };
    let train = Proto::new()
        .message(training::INITIALIZATION, graph_of(&[], &[raw("i", b"1")]))
        .message(
            training::ALGORITHM,
            graph_of(&[op("Train", "x")], &[raw("a", b"1")]),
        );
    let model = model_of(graph_of(&[], &[]))
        .message(model::TRAINING_INFO, train.clone())
        .message(model::TRAINING_INFO, train)
        .message(model::FUNCTIONS, defined(""))
        .message(model::FUNCTIONS, defined("two"));
    assert!(
        parsed(&model.0)
            .operators
            .keys()
            .all(|(_, kind)| kind != "Train")
    );
    assert_identities(
        model,
        &[
            ("training_info::0::initialization", "i", false),
            ("training_info::0::algorithm", "a", false),
            ("training_info::1::initialization", "i", false),
            ("training_info::1::algorithm", "a", false),
            ("own::Norm", "c", true),
            ("own::Norm/eps", "d", false),
            ("own::Norm::two", "c", true),
            ("own::Norm::two/eps", "d", false),
        ],
    );
}

#[test]
fn operators_of_subgraphs_are_counted() {
    let inner = graph_of(&[op("Add", "y")], &[]);
    let outer = op("If", "y").message(node::ATTRIBUTE, attr("then", attribute::G, inner));
    let model = parsed(&model_of(graph_of(&[outer, op("Add", "z")], &[])).0);
    assert_eq!(model.operators[&(String::new(), "Add".to_owned())], 2);
}
