//! External data that leads elsewhere or contradicts itself, wherever it is. Security row A50; each
//! message in full.

use super::build::{
    Proto, attr, constant, empty_tensor, graph_of, model_of, op, parsed, refusal, weights,
};
use crate::onnx::DataType;
use crate::onnx::wire::field::{attribute, function, graph, model, node, sparse, training};

/// The message about a FLOAT tensor of two elements with these entries of external data.
fn external(entries: &[(&str, &str)]) -> String {
    refusal(&weights(&[floats().external(entries)]))
}

fn floats() -> Proto {
    empty_tensor("W", DataType::FLOAT, &[2])
}

#[test]
fn external_data_that_is_not_what_it_should_be_is_refused() {
    let number = |key: &str, value: &str| {
        format!(
            "initializer `W`: {key} of external data is `{value}`: expected a number from 0 to 2^63-1"
        )
    };
    let at = ("location", "w.bin");
    for value in [
        "abc",
        "-1",
        "",
        "+1",
        "0x10",
        " 1",
        "1_0",
        "9223372036854775808",
        "1e3",
    ] {
        assert_eq!(external(&[at, ("offset", value)]), number("offset", value));
    }
    assert_eq!(external(&[at, ("length", "-8")]), number("length", "-8"));
    for (entries, message) in [
        (&[][..], "external data has no location"),
        (
            &[at, ("length", "4")],
            "expected 8 bytes by its type and shape, got 4",
        ),
        (&[at, at], "external data has the key `location` twice"),
        (
            &[at, ("__class__", "x")],
            "external data has the unknown key `__class__`: expected location, offset, length, or checksum",
        ),
        (
            &[("location", "*/_ORT_MEM_ADDR_/*")],
            "location is an in-memory marker",
        ),
        (
            &[("location", "../../x")],
            "location has a `..` component: \"../../x\"",
        ),
        (
            &[("location", "w.bin\0/../../x")],
            "location has a NUL: \"w.bin\\0/../../x\"",
        ),
        (&[("location", "")], "location is empty"),
        (&[("location", ".")], "location names no file: \".\""),
    ] {
        assert_eq!(external(entries), format!("initializer `W`: {message}"));
    }
    // An offset that is a number is checked against the file, later.
    assert_eq!(
        parsed(&weights(&[
            floats().external(&[at, ("offset", "9223372036854775807")])
        ]))
        .tensors
        .len(),
        1
    );
}

/// Security row A50: external data is found in every place, even where it makes no sense.
#[test]
fn external_data_is_checked_wherever_it_is() {
    let evil = || floats().external(&[("location", "../x")]);
    let inner = graph_of(&[], &[evil()]);
    let carrier = |attribute| op("If", "y").message(node::ATTRIBUTE, attribute);
    let pair = |field| Proto::new().message(field, evil());
    let main = |nodes: &[Proto]| model_of(graph_of(nodes, &[]));
    let bare = || main(&[]);
    let defined = |field, body| Proto::new().bytes(function::NAME, "f").message(field, body);
    let sparse = |field| graph_of(&[], &[]).message(graph::SPARSE_INITIALIZER, pair(field));
    for (model, tensor) in [
        (main(&[constant("c", evil())]), "constant `c`"),
        (
            main(&[carrier(attr("a", attribute::T, evil()))]),
            "attribute tensor `W` in `y/a`",
        ),
        (
            main(&[carrier(attr("a", attribute::TENSORS, evil()))]),
            "attribute tensor `W` in `y/a/0`",
        ),
        (
            main(&[carrier(attr("a", attribute::G, inner.clone()))]),
            "initializer `W` in `y/a`",
        ),
        (
            main(&[carrier(attr("a", attribute::GRAPHS, inner.clone()))]),
            "initializer `W` in `y/a/0`",
        ),
        (
            main(&[carrier(attr(
                "a",
                attribute::SPARSE_TENSOR,
                pair(sparse::VALUES),
            ))]),
            "sparse tensor `W` in `y/a`",
        ),
        (
            main(&[carrier(attr(
                "a",
                attribute::SPARSE_TENSORS,
                pair(sparse::INDICES),
            ))]),
            "sparse tensor `W` in `y/a/0`",
        ),
        (model_of(sparse(sparse::VALUES)), "sparse tensor `W`"),
        (model_of(sparse(sparse::INDICES)), "sparse tensor `W`"),
        (
            bare().message(
                model::FUNCTIONS,
                defined(function::NODE, constant("c", evil())),
            ),
            "constant `c` in `::f`",
        ),
        (
            bare().message(
                model::FUNCTIONS,
                defined(function::ATTRIBUTE_PROTO, attr("a", attribute::T, evil())),
            ),
            "attribute tensor `W` in `::f/a`",
        ),
        (
            bare().message(
                model::TRAINING_INFO,
                Proto::new().message(training::ALGORITHM, inner),
            ),
            "initializer `W` in `training_info::0::algorithm`",
        ),
    ] {
        let expected = format!("{tensor}: location has a `..` component: \"../x\"");
        assert_eq!(refusal(&model.0), expected);
    }
}
