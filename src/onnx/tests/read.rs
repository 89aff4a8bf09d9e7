//! What is read of a model, and where its tensors are.

use std::collections::BTreeMap;

use super::build::{
    Proto, constant, empty_tensor, graph_of, model_of, op, parsed, raw, value, weights,
};
use crate::onnx::wire::field::{entry, function, graph, kind, model, node, opset, sparse, tensor};
use crate::onnx::{Content, DataType, Dim, Tensor, ValueInfo};

fn only(bytes: &[u8]) -> Tensor {
    let mut tensors = parsed(bytes).tensors;
    assert_eq!(tensors.len(), 1);
    tensors.remove(0)
}

fn inline(bytes: &[u8]) -> Option<Vec<u8>> {
    match only(bytes).content {
        Content::Inline { offset, length } => {
            Some(bytes[offset as usize..(offset + length) as usize].to_vec())
        }
        _ => None,
    }
}

#[test]
fn a_model_is_described() {
    let metadata = Proto::new()
        .bytes(entry::KEY, "author")
        .bytes(entry::VALUE, "me");
    let imports = [("", 17), ("ai.onnx.ml", 3)].map(|(domain, version)| {
        Proto::new()
            .bytes(opset::DOMAIN, domain)
            .number(opset::VERSION, version)
    });
    let relu = op("Relu", "b").bytes(node::DOMAIN, "own");
    let defined = Proto::new()
        .bytes(function::NAME, "Relu")
        .message(function::NODE, op("Max", "y"))
        .bytes(function::DOMAIN, "own");
    let [first, second] = imports;
    let bytes = model_of(graph_of(&[op("Relu", "a"), op("Relu", "x"), relu], &[]))
        .bytes(model::PRODUCER_NAME, "maker")
        .bytes(model::PRODUCER_VERSION, "1.2")
        .bytes(model::DOMAIN, "org.example")
        .message(model::OPSET_IMPORT, first)
        .message(model::OPSET_IMPORT, second)
        .message(model::METADATA_PROPS, metadata)
        .message(model::FUNCTIONS, defined);
    let model = parsed(&bytes.0);
    assert_eq!(model.ir_version, 10);
    assert_eq!(model.producer_name, "maker");
    assert_eq!(model.producer_version, "1.2");
    assert_eq!(model.domain, "org.example");
    let opsets = [(String::new(), 17), ("ai.onnx.ml".to_owned(), 3)];
    assert_eq!(model.opsets, BTreeMap::from(opsets));
    assert!(model.metadata_keys.contains("author"));
    let key = |domain: &str, kind: &str| (domain.to_owned(), kind.to_owned());
    let counts = [
        (key("", "Max"), 1),
        (key("", "Relu"), 2),
        (key("own", "Relu"), 1),
    ];
    assert_eq!(model.operators, BTreeMap::from(counts));
    assert!(model.functions.contains(&key("own", "Relu")));
}

fn dim_of(field: u32, text: Option<&str>, number: u64) -> Proto {
    match text {
        Some(text) => Proto::new().bytes(field, text),
        None => Proto::new().number(field, number),
    }
}

fn tensor_type(element: u64, dims: &[Proto]) -> Proto {
    let shape = dims.iter().fold(Proto::new(), |shape, dim| {
        shape.message(kind::DIM, dim.clone())
    });
    Proto::new()
        .number(kind::ELEM_TYPE, element)
        .message(kind::SHAPE, shape)
}

#[test]
fn inputs_and_outputs_have_types_and_shapes() {
    let dims = [
        dim_of(kind::DIM_PARAM, Some("batch"), 0),
        dim_of(kind::DIM_VALUE, None, 3),
        dim_of(kind::DIM_VALUE, None, -1i64 as u64),
        Proto::new(),
    ];
    let tensor = Proto::new().message(kind::TENSOR, tensor_type(1, &dims));
    let unranked = Proto::new().message(kind::TENSOR, Proto::new().number(kind::ELEM_TYPE, 10));
    let list = |field, element: Proto| {
        Proto::new().message(field, Proto::new().message(kind::ELEM_TYPE, element))
    };
    let map = Proto::new()
        .number(kind::KEY_TYPE, 7)
        .message(kind::VALUE_TYPE, unranked.clone());
    let graph = graph_of(&[], &[])
        .message(graph::INPUT, value("x", tensor))
        .message(graph::INPUT, value("u", unranked.clone()))
        .message(
            graph::INPUT,
            value("s", list(kind::SEQUENCE, unranked.clone())),
        )
        .message(
            graph::OUTPUT,
            value("m", Proto::new().message(kind::MAP, map)),
        )
        .message(graph::OUTPUT, value("o", list(kind::OPTIONAL, unranked)))
        .message(
            graph::OUTPUT,
            value(
                "z",
                Proto::new().message(kind::SPARSE_TENSOR, tensor_type(1, &[])),
            ),
        )
        .message(graph::OUTPUT, value("n", Proto::new()));
    let model = parsed(&model_of(graph).0);
    let info = |name: &str, dtype: &str, shape| ValueInfo {
        name: name.to_owned(),
        dtype: dtype.to_owned(),
        shape,
    };
    let dims = vec![
        Dim::Symbol("batch".to_owned()),
        Dim::Fixed(3),
        Dim::Unknown,
        Dim::Unknown,
    ];
    let inputs = [
        info("x", "float", Some(dims)),
        info("u", "float16", None),
        info("s", "seq(tensor(float16))", None),
    ];
    let outputs = [
        info("m", "map(int64,tensor(float16))", None),
        info("o", "optional(tensor(float16))", None),
        info("z", "sparse_tensor(float)", Some(Vec::new())),
        info("n", "unknown", None),
    ];
    assert_eq!(model.inputs, inputs);
    assert_eq!(model.outputs, outputs);
}

#[test]
fn initializers_that_are_inputs_too_are_none() {
    let unit = || Proto::new().message(kind::TENSOR, tensor_type(1, &[]));
    let values = Proto::new().message(sparse::VALUES, empty_tensor("S", DataType::FLOAT, &[0]));
    let graph = graph_of(&[], &[raw("W", b"1")])
        .message(graph::INPUT, value("x", unit()))
        .message(graph::INPUT, value("W", unit()))
        .message(graph::INPUT, value("S", unit()))
        .message(graph::SPARSE_INITIALIZER, values);
    let names: Vec<String> = parsed(&model_of(graph).0)
        .inputs
        .into_iter()
        .map(|input| input.name)
        .collect();
    assert_eq!(names, ["x"]);
}

#[test]
fn contiguous_content_is_found() {
    let float = |dims: &[u64]| empty_tensor("W", DataType::FLOAT, dims);
    let packed = float(&[2]).bytes(tensor::FLOAT_DATA, b"01234567");
    assert_eq!(inline(&weights(&[packed])).unwrap(), b"01234567");
    let double = empty_tensor("W", DataType::COMPLEX128, &[1]);
    let double = double.bytes(tensor::DOUBLE_DATA, b"0123456789abcdef");
    assert_eq!(inline(&weights(&[double])).unwrap(), b"0123456789abcdef");
    assert_eq!(inline(&weights(&[raw("W", b"abc")])).unwrap(), b"abc");
    let scalar = float(&[]).bytes(tensor::RAW_DATA, b"1234");
    assert_eq!(inline(&weights(&[scalar])).unwrap(), b"1234");
    let nothing = float(&[3, 0]).bytes(tensor::RAW_DATA, b"");
    assert_eq!(inline(&weights(&[nothing])).unwrap(), b"");
    let dims = Proto::new()
        .bytes(tensor::DIMS, [2, 3])
        .number(tensor::DATA_TYPE, 2)
        .bytes(tensor::RAW_DATA, b"abcdef");
    assert_eq!(only(&weights(&[dims])).shape, [2, 3]);
}

#[test]
fn elements_smaller_than_a_byte_are_rounded_up() {
    for (data_type, elements, bytes) in [(22, 5, 3), (21, 4, 2), (23, 1, 1), (26, 5, 2), (25, 4, 1)]
    {
        let content = vec![7; bytes];
        let small = empty_tensor("W", DataType(data_type), &[elements]);
        let model = weights(&[small.bytes(tensor::RAW_DATA, &content)]);
        assert_eq!(inline(&model).unwrap(), content, "type {data_type}");
    }
}

#[test]
fn content_in_other_forms_stays() {
    let float = || empty_tensor("W", DataType::FLOAT, &[2]);
    let half = |proto: Proto| proto.bytes(tensor::FLOAT_DATA, b"0123");
    for (case, proto) in [
        ("no data", float()),
        ("several records", half(half(float()))),
        ("not packed", float().fixed32(tensor::FLOAT_DATA, *b"0123")),
        ("varints", float().bytes(tensor::INT32_DATA, [1, 2])),
        (
            "floats of another type",
            empty_tensor("W", DataType::DOUBLE, &[1]).bytes(tensor::FLOAT_DATA, b"01234567"),
        ),
        (
            "two contents",
            half(float()).bytes(tensor::RAW_DATA, b"01234567"),
        ),
        (
            "strings",
            empty_tensor("W", DataType::STRING, &[1]).bytes(tensor::STRING_DATA, "text"),
        ),
        (
            "an unknown type",
            empty_tensor("W", DataType(99), &[1]).bytes(tensor::RAW_DATA, "text"),
        ),
        (
            "a segment",
            float()
                .message(tensor::SEGMENT, Proto::new())
                .bytes(tensor::RAW_DATA, b"01234567"),
        ),
    ] {
        assert_eq!(only(&weights(&[proto])).content, Content::Bound, "{case}");
    }
}

#[test]
fn names_may_be_missing_or_double() {
    let nameless = Proto::new()
        .number(tensor::DIMS, 1)
        .number(tensor::DATA_TYPE, 2)
        .bytes(tensor::RAW_DATA, "a");
    let tensors = parsed(&weights(&[raw("W", b"1"), raw("W", b"2"), nameless])).tensors;
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names, ["W", "W", ""]);
}

#[test]
fn external_data_has_defaults() {
    let external = |entries: &[(&str, &str)]| {
        only(&weights(&[
            empty_tensor("W", DataType::FLOAT, &[2]).external(entries)
        ]))
        .content
    };
    let at = |location: &str, offset| Content::External {
        location: location.to_owned(),
        offset,
        length: 8,
    };
    assert_eq!(external(&[("location", "w.bin")]), at("w.bin", 0));
    let all = [
        ("location", "./a/./w.bin"),
        ("offset", "4096"),
        ("length", "8"),
        ("checksum", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("basepath", "/anything"),
    ];
    assert_eq!(external(&all), at("a/w.bin", 4096));
    let empty = empty_tensor("W", DataType::FLOAT, &[2])
        .bytes(tensor::RAW_DATA, "")
        .external(&[("location", "w.bin")]);
    assert_eq!(only(&weights(&[empty])).content, at("w.bin", 0));
}

#[test]
fn large_contiguous_tensors_that_are_no_shapes_can_leave() {
    let of = |data_type, shape: &[u64], content| Tensor {
        scope: String::new(),
        name: "W".to_owned(),
        data_type,
        shape: shape.to_vec(),
        content,
    };
    let inline = |length| Content::Inline { offset: 0, length };
    let external = |length| Content::External {
        location: "w".to_owned(),
        offset: 0,
        length,
    };
    for (expected, tensor) in [
        (true, of(DataType::FLOAT, &[256], inline(1024))),
        (false, of(DataType::FLOAT, &[255], inline(1020))),
        (false, of(DataType::INT64, &[128], inline(1024))),
        (false, of(DataType::INT32, &[256], inline(1024))),
        (true, of(DataType::INT64, &[2, 64], inline(1024))),
        (true, of(DataType::INT64, &[128], external(1024))),
        (false, of(DataType::FLOAT, &[2], external(8))),
        (false, of(DataType::STRING, &[4096], Content::Bound)),
    ] {
        assert_eq!(tensor.can_leave(), expected, "{tensor:?}");
    }
}

#[test]
fn names_may_follow_what_they_name() {
    let attribute = Proto::new()
        .message(crate::onnx::wire::field::attribute::T, raw("own", b"1"))
        .bytes(crate::onnx::wire::field::attribute::NAME, "value");
    let node = Proto::new()
        .message(node::ATTRIBUTE, attribute)
        .bytes(node::OP_TYPE, "Constant")
        .bytes(node::OUTPUT, "late");
    let tensor = only(&model_of(graph_of(&[node], &[])).0);
    assert_eq!((tensor.scope.as_str(), tensor.name.as_str()), ("", "late"));
    let early = only(&model_of(graph_of(&[constant("late", raw("own", b"1"))], &[])).0);
    assert_eq!(early.name, "late");
}
