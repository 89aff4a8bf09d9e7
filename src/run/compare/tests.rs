use serde_json::json;

use super::super::from_json;
use super::*;
use crate::onnx::DataType;

fn tensor(dtype: &str, value: serde_json::Value) -> Tensor {
    from_json(&value, DataType::from_name(dtype).unwrap()).unwrap()
}

fn floats(actual: serde_json::Value, expected: serde_json::Value) -> Comparison {
    let (actual, expected) = (tensor("double", actual), tensor("double", expected));
    compare(&actual, &expected, Tolerance::default())
}

fn errors(comparison: Comparison) -> (bool, Errors) {
    match comparison {
        Comparison::Equal(errors) => (true, errors),
        Comparison::Different(errors) => (false, errors),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_rule_is_numpys() {
    // atol + rtol · |e| = 1e-5 + 1e-3 · 100
    assert!(floats(json!([100.1]), json!([100.0])).is_equal());
    assert!(!floats(json!([100.2]), json!([100.0])).is_equal());
    // Relative to the expected value, not to the computed one.
    assert!(!floats(json!([1.0010105]), json!([1.0])).is_equal());
    assert!(floats(json!([1.0]), json!([1.0010105])).is_equal());
    assert!(floats(json!([1e-5]), json!([0.0])).is_equal());
    assert!(!floats(json!([1.1e-5]), json!([0.0])).is_equal());
}

#[test]
fn nan_and_infinities_equal_only_themselves() {
    let (equal, all) = errors(floats(
        json!(["NaN", "Infinity", "-Infinity"]),
        json!(["NaN", "Infinity", "-Infinity"]),
    ));
    assert!(equal && all.largest_absolute == 0.0 && all.worst.is_none());
    for (actual, expected) in [
        (json!(["NaN"]), json!([1])),
        (json!([1]), json!(["NaN"])),
        (json!([1]), json!(["Infinity"])),
        (json!(["Infinity"]), json!(["-Infinity"])),
        (json!(["Infinity"]), json!([1])),
    ] {
        let (equal, errors) = errors(floats(actual, expected));
        assert!(!equal && errors.differing == 1);
        assert_eq!(errors.largest_absolute, f64::INFINITY);
        assert_eq!(errors.worst, Some(0));
    }
}

#[test]
fn the_largest_errors_and_their_place_are_reported() {
    let (equal, found) = errors(floats(json!([1.0, 2.5, -3.0]), json!([1.0, 2.0, -3.25])));
    assert!(!equal);
    assert_eq!((found.elements, found.differing), (3, 2));
    assert_eq!((found.largest_absolute, found.worst), (0.5, Some(1)));
    assert_eq!(found.largest_relative, 0.25);
}

#[test]
fn integers_booleans_and_strings_must_be_equal() {
    let exact = |dtype: &str, actual, expected| {
        let tolerance = Tolerance {
            rtol: 1e9,
            atol: 1e9,
        };
        let (actual, expected) = (tensor(dtype, actual), tensor(dtype, expected));
        errors(compare(&actual, &expected, tolerance))
    };
    let (equal, found) = exact("int64", json!([-1, i64::MAX]), json!([1, i64::MAX - 1]));
    assert!(!equal);
    assert_eq!((found.differing, found.largest_absolute), (2, 2.0));
    assert!(!exact("uint64", json!([u64::MAX]), json!([0])).0);
    assert!(!exact("bool", json!([true]), json!([false])).0);
    assert!(!exact("string", json!(["a"]), json!(["b"])).0);
    assert!(exact("string", json!(["a"]), json!(["a"])).0);
}

#[test]
fn other_types_and_shapes_are_told_apart() {
    let one = tensor("float", json!([1.0]));
    let kind = compare(&tensor("double", json!([1.0])), &one, Tolerance::default());
    assert_eq!(
        serde_json::to_value(kind).unwrap(),
        json!({"result": "dtype", "expected": "float", "actual": "double"})
    );
    let shape = compare(&tensor("float", json!([[1.0]])), &one, Tolerance::default());
    assert_eq!(
        serde_json::to_value(shape).unwrap(),
        json!({"result": "shape", "expected": [1], "actual": [1, 1]})
    );
}
