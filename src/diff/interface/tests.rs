//! The rules, one by one: `inputs -> outputs` of A, of B, and what changed.

use super::change::{At, Kind};
use super::graph::compare;
use crate::model::{Dimension, Interface, Value};

/// `float[n,10]`; `?` is an unknown dimension, no brackets an unknown rank.
fn value(text: &str) -> Value {
    let (name, declared) = text.split_once(':').unwrap();
    let (dtype, shape) = match declared.split_once('[') {
        Some((dtype, shape)) => (dtype, Some(shape.trim_end_matches(']'))),
        None => (declared, None),
    };
    let dimension = |text: &str| match text.parse() {
        Ok(length) => Dimension::Fixed(length),
        Err(_) if text == "?" => Dimension::Unknown(()),
        Err(_) => Dimension::Symbol(text.to_owned()),
    };
    let dimensions = |text: &str| {
        let words = text.split(',').filter(|word| !word.is_empty());
        words.map(dimension).collect()
    };
    Value {
        name: name.to_owned(),
        dtype: dtype.to_owned(),
        shape: shape.map(dimensions),
    }
}

fn interface(text: &str) -> Interface {
    let (inputs, outputs) = text.split_once("->").unwrap();
    let values = |text: &str| text.split_whitespace().map(value).collect();
    Interface {
        inputs: values(inputs),
        outputs: values(outputs),
    }
}

/// What changed from A to B, and whether it breaks: `!` does.
fn changes(a: &str, b: &str) -> String {
    let changes = compare("model.onnx", &interface(a), &interface(b));
    let words = changes.iter().map(|change| {
        let at = match change.at {
            At::Graph => "graph",
            At::Input => "in",
            At::Output => "out",
        };
        let kind = match change.change {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Dtype => "dtype",
            Kind::Shape => "shape",
            Kind::Symbols => "symbols",
            Kind::Order => "order",
        };
        let breaks = if change.breaks { "!" } else { "" };
        let name = change.name.as_deref().unwrap_or_default();
        format!("{at} {name} {kind}{breaks}")
    });
    words.collect::<Vec<_>>().join("; ")
}

#[track_caller]
fn check(rows: &[(&str, &str, &str)]) {
    for (a, b, expected) in rows {
        assert_eq!(changes(a, b), *expected, "{a}  =>  {b}");
    }
}

#[test]
fn what_comes_and_goes() {
    check(&[
        ("x:f[n] -> y:f[n]", "x:f[n] -> y:f[n]", ""),
        ("x:f -> y:f", "x:f m:f -> y:f", "in m added!"),
        ("x:f m:f -> y:f", "x:f -> y:f", "in m removed!"),
        ("x:f -> y:f", "x:f -> y:f z:f", "out z added"),
        ("x:f -> y:f z:f", "x:f -> y:f", "out z removed!"),
        ("x:f -> y:f", "z:f -> y:f", "in x removed!; in z added!"),
        ("x:f -> y:f", "x:i -> y:f", "in x dtype!"),
        ("x:f -> y:f", "x:f -> y:i", "out y dtype!"),
    ]);
}

#[test]
fn positions() {
    check(&[
        ("x:f m:f -> y:f", "m:f x:f -> y:f", "in  order!"),
        ("x:f -> y:f z:f", "x:f -> z:f y:f", "out  order!"),
        ("x:f -> y:f", "x:f -> z:f y:f", "out z added; out  order!"),
        // The others keep their order.
        ("x:f -> y:f z:f", "x:f -> z:f", "out y removed!"),
        ("x:f m:f -> y:f", "m:f -> y:f", "in x removed!"),
    ]);
}

#[test]
fn inputs_may_take_more_and_not_less() {
    check(&[
        ("x:f[n,10] ->", "x:f[1,10] ->", "in x shape!"),
        ("x:f[?,10] ->", "x:f[1,10] ->", "in x shape!"),
        ("x:f[1,10] ->", "x:f[n,10] ->", "in x shape"),
        ("x:f[1,10] ->", "x:f[?,10] ->", "in x shape"),
        ("x:f[224] ->", "x:f[256] ->", "in x shape!"),
        ("x:f[n] ->", "x:f[n,m] ->", "in x shape!"),
        ("x:f[n] ->", "x:f[] ->", "in x shape!"),
        ("x:f ->", "x:f[n] ->", "in x shape!"),
        ("x:f[n] ->", "x:f ->", "in x shape"),
        ("x:f[n] ->", "x:f[batch] ->", "in x symbols"),
        ("x:f[n] ->", "x:f[?] ->", "in x symbols"),
        ("x:f[?] ->", "x:f[n] ->", "in x symbols"),
    ]);
}

#[test]
fn inputs_are_not_tied_together() {
    check(&[
        ("x:f[n,m] ->", "x:f[n,n] ->", "in x shape!"),
        ("x:f[?,?] ->", "x:f[n,n] ->", "in x shape!"),
        ("x:f[n] m:f[k] ->", "x:f[n] m:f[n] ->", "in m shape!"),
        // B's name of `x` means `m` as well, whose own declaration is as it was.
        (
            "x:f[n] m:f[k] ->",
            "x:f[k] m:f[k] ->",
            "in x symbols; in m shape!",
        ),
        (
            "x:f[n] m:f[n] ->",
            "x:f[k] m:f[k] ->",
            "in x symbols; in m symbols",
        ),
        (
            "x:f[3] m:f[3] ->",
            "x:f[n] m:f[n] ->",
            "in x shape; in m shape",
        ),
        (
            "x:f[3] m:f[4] ->",
            "x:f[n] m:f[n] ->",
            "in x shape; in m shape!",
        ),
        // The other way round nobody minds.
        ("x:f[n,n] ->", "x:f[n,m] ->", "in x shape"),
    ]);
}

#[test]
fn outputs_may_be_less_and_not_more() {
    check(&[
        ("-> y:f[1,10]", "-> y:f[n,10]", "out y shape!"),
        ("-> y:f[n,10]", "-> y:f[1,10]", "out y shape"),
        ("-> y:f[10]", "-> y:f[11]", "out y shape!"),
        ("-> y:f[10]", "-> y:f[?]", "out y shape!"),
        ("-> y:f[n]", "-> y:f[n,1]", "out y shape!"),
        ("-> y:f[n]", "-> y:f", "out y shape!"),
        ("-> y:f", "-> y:f[n]", "out y shape"),
        ("-> y:f[n]", "-> y:f[k]", "out y symbols"),
        ("-> y:f[?]", "-> y:f[7]", "out y shape"),
    ]);
}

#[test]
fn outputs_follow_what_they_followed() {
    check(&[
        // The batch is fed as one, and comes back as one.
        (
            "x:f[1,9] -> y:f[1,2]",
            "x:f[n,9] -> y:f[n,2]",
            "in x shape; out y shape",
        ),
        (
            "x:f[n,9] -> y:f[n,2]",
            "x:f[b,9] -> y:f[b,2]",
            "in x symbols; out y symbols",
        ),
        (
            "x:f[n,9] -> y:f[n,2]",
            "x:f[n,9] -> y:f[k,2]",
            "out y shape!",
        ),
        (
            "x:f[n,9] -> y:f[n,2]",
            "x:f[n,9] -> y:f[1,2]",
            "out y shape!",
        ),
        (
            "x:f[n,9] -> y:f[k,2]",
            "x:f[n,9] -> y:f[n,2]",
            "out y shape",
        ),
        (
            "x:f[n] m:f[k] -> y:f[n]",
            "x:f[n] m:f[k] -> y:f[k]",
            "out y shape!",
        ),
        // Outputs that have one length, whichever it is.
        (
            "-> y:f[n] z:f[n]",
            "-> y:f[k] z:f[k]",
            "out y symbols; out z symbols",
        ),
        ("-> y:f[n] z:f[n]", "-> y:f[n] z:f[k]", "out z shape!"),
        (
            "-> y:f[n] z:f[n]",
            "-> y:f[?] z:f[?]",
            "out y symbols; out z shape!",
        ),
        (
            "-> y:f[n] z:f[n]",
            "-> y:f[4] z:f[4]",
            "out y shape; out z shape",
        ),
        ("-> y:f[n] z:f[k]", "-> y:f[n] z:f[n]", "out z shape"),
    ]);
}

#[test]
fn repeated_and_empty_names_are_no_trap() {
    check(&[
        ("->", "->", ""),
        ("x:f[n] x:f[m] ->", "x:f[n] ->", "in  order!; in x symbols"),
        (":f[n] ->", ":f[n] ->", ""),
    ]);
}
