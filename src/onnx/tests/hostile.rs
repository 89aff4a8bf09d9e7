//! Files that are no models, and models that want something else than to be read. Security rows
//! A52, A54 and A55; each message in full.

use super::build::{
    Proto, attr, constant, empty_tensor, graph_of, model_of, op, parsed, raw, refusal, value,
    weights,
};
use crate::onnx::wire::field::{
    attribute, function, graph, kind, model, node, sparse, tensor, training,
};
use crate::onnx::{DataType, OnnxError, read};

fn floats() -> Proto {
    empty_tensor("W", DataType::FLOAT, &[2])
}

#[test]
fn other_files_are_named() {
    for (bytes, message) in [
        (&b""[..], "this is an empty file, not a model"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "this is a Git LFS pointer, not a model: fetch the file with `git lfs pull`",
        ),
        (
            b"\xef\xbb\xbf\n <!DOCTYPE HTML PUBLIC>",
            "this is an HTML page, not a model: download the file again",
        ),
        (
            b"<html><title>Redirecting...</title>",
            "this is an HTML page, not a model: download the file again",
        ),
        (b"{\"errors\":[]}", "this is a JSON document, not a model"),
        (
            b"PK\x03\x04\x14\x00",
            "this is a zip archive, not an ONNX model",
        ),
        (b"GGUF\x03\0\0\0", "this is a GGUF file, not an ONNX model"),
        (
            b"\x1f\x8b\x08\x00",
            "this is a gzip file, not a model: unpack it first",
        ),
    ] {
        assert_eq!(refusal(bytes), message);
    }
}

#[test]
fn broken_records_are_refused() {
    let no_graph = Proto::new().number(model::IR_VERSION, 8).0;
    for (bytes, message) in [
        (
            &no_graph[..],
            "no valid ONNX at byte 2: the file ends without a graph",
        ),
        (
            &[0x08, 0x08, 0x3a, 0x7f, 0x0a],
            "no valid ONNX at byte 2: a record is longer than what is left, so the file is cut short or no model",
        ),
        (
            &[
                0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ],
            "no valid ONNX at byte 0: a record is longer than what is left, so the file is cut short or no model",
        ),
        (&[0x08], "no valid ONNX at byte 1: a number is cut short"),
        (
            &[0x08, 0x80],
            "no valid ONNX at byte 1: a number is cut short",
        ),
        (
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
            ],
            "no valid ONNX at byte 1: a number has more than 64 bits",
        ),
        (
            &[0x0b, 0x0c],
            "no valid ONNX at byte 0: no such wire type in ONNX",
        ),
        (
            &[0x00, 0x00],
            "no valid ONNX at byte 0: no field has this number",
        ),
        (
            &[0x80, 0x80, 0x80, 0x80, 0x10, 0x00],
            "no valid ONNX at byte 0: no field has this number",
        ),
        (
            &[0x09, 0x00],
            "no valid ONNX at byte 0: a record is longer than what is left, so the file is cut short or no model",
        ),
    ] {
        assert_eq!(refusal(bytes), message);
    }
}

#[test]
fn every_cut_through_a_model_is_refused() {
    let nodes = [constant("c", raw("", b"123"))];
    let whole = Proto::new()
        .number(model::IR_VERSION, 8)
        .message(model::GRAPH, graph_of(&nodes, &[raw("W", b"1234")]))
        .0;
    assert_eq!(parsed(&whole).tensors.len(), 2);
    for length in 0..whole.len() {
        assert!(read(&&whole[..length]).is_err(), "cut at {length}");
    }
}

/// Parsers merge what occurs twice: each half is harmless, the whole is not.
#[test]
fn fields_that_occur_once_are_refused_twice() {
    let twice = "a field that may occur once occurs twice";
    let graph = graph_of(&[], &[]);
    let attribute = attr(
        "value",
        attribute::T,
        floats().external(&[("location", "w")]),
    )
    .message(
        attribute::T,
        Proto::new().external(&[("location", "/etc/passwd")]),
    );
    let split = op("Constant", "c").message(node::ATTRIBUTE, attribute);
    let values = Proto::new()
        .message(sparse::VALUES, raw("v", b"1"))
        .message(sparse::VALUES, raw("v", b"1"));
    let sparse = graph.clone().message(graph::SPARSE_INITIALIZER, values);
    let train = Proto::new()
        .message(training::ALGORITHM, graph.clone())
        .message(training::ALGORITHM, graph.clone());
    let named = Proto::new()
        .bytes(function::NAME, "a")
        .bytes(function::NAME, "b");
    for (case, model) in [
        (
            "graph",
            model_of(graph.clone()).message(model::GRAPH, graph.clone()),
        ),
        ("attribute", model_of(graph_of(&[split], &[]))),
        (
            "operator",
            model_of(graph_of(&[op("A", "x").bytes(node::OP_TYPE, "B")], &[])),
        ),
        (
            "raw data",
            model_of(graph_of(
                &[],
                &[raw("W", b"1").bytes(tensor::RAW_DATA, b"1")],
            )),
        ),
        (
            "location",
            model_of(graph_of(&[], &[floats().external(&[]).external(&[])])),
        ),
        ("values", model_of(sparse)),
        (
            "algorithm",
            model_of(graph.clone()).message(model::TRAINING_INFO, train),
        ),
        ("name", model_of(graph).message(model::FUNCTIONS, named)),
    ] {
        let message = refusal(&model.0);
        assert!(message.ends_with(twice), "{case}: {message}");
    }
}

#[test]
fn tensors_that_contradict_themselves_are_refused() {
    let dims = |dims: &[u64]| empty_tensor("W", DataType::FLOAT, dims);
    let bytes = |proto: Proto| proto.bytes(tensor::RAW_DATA, [0; 16]);
    for (proto, message) in [
        (
            bytes(dims(&[1 << 40])),
            "initializer `W`: expected 4398046511104 bytes by its type and shape, got 16",
        ),
        (
            dims(&[2]).bytes(tensor::FLOAT_DATA, [0; 4]),
            "initializer `W`: expected 8 bytes by its type and shape, got 4",
        ),
        (
            bytes(dims(&[-4i64 as u64])),
            "initializer `W`: dimension -4 is negative",
        ),
        (
            bytes(dims(&[1 << 31, 1 << 31, 1 << 31])),
            "initializer `W`: shape [2147483648, 2147483648, 2147483648] is beyond 2^64 bytes",
        ),
        (
            dims(&[1; 65]),
            "initializer `W`: it has more than 64 dimensions",
        ),
        (
            dims(&[2]).number(tensor::DATA_LOCATION, 2),
            "initializer `W`: data location 2 is neither 0 (in the model) nor 1 (external)",
        ),
        (
            bytes(dims(&[4])).external(&[("location", "w")]),
            "initializer `W`: it has external data and data in the model",
        ),
        (
            dims(&[1])
                .bytes(tensor::INT32_DATA, [1])
                .external(&[("location", "w")]),
            "initializer `W`: it has external data and data in the model",
        ),
        (
            empty_tensor("W", DataType::STRING, &[1]).external(&[("location", "w")]),
            "initializer `W`: elements of type string cannot be external data",
        ),
    ] {
        assert_eq!(refusal(&weights(&[proto])), message);
    }
}

#[test]
fn nesting_is_limited() {
    let nest = |levels| {
        (0..levels).fold(graph_of(&[], &[]), |inner, _| {
            let node = op("If", "y").message(node::ATTRIBUTE, attr("then", attribute::G, inner));
            graph_of(&[node], &[])
        })
    };
    assert_eq!(parsed(&model_of(nest(64)).0).operators.len(), 1);
    let message = "the model has graphs nested over 64 deep, which is beyond the limit";
    assert_eq!(refusal(&model_of(nest(65)).0), message);
    assert_eq!(refusal(&model_of(nest(2000)).0), message);
    let sequences = (0..2000).fold(Proto::new(), |inner, _| {
        Proto::new().message(kind::SEQUENCE, Proto::new().message(kind::ELEM_TYPE, inner))
    });
    let graph = graph_of(&[], &[]).message(graph::INPUT, value("x", sequences));
    let message = "the model has types nested over 64 deep, which is beyond the limit";
    assert_eq!(refusal(&model_of(graph).0), message);
}

/// Security row A14: what is kept has a limit, whatever it is made of.
#[test]
fn memory_is_limited() {
    let long = "x".repeat(64 << 10);
    let longer = format!("{long}x");
    let named = weights(&[empty_tensor(&longer, DataType::FLOAT, &[0])]);
    let message = "the model has a name longer than 64 KiB, which is beyond the limit";
    assert_eq!(refusal(&named), message);
    let message =
        "the model has names and tensor descriptions of over 64 MiB, which is beyond the limit";
    let many = |count, proto: Proto| weights(&vec![proto; count]);
    assert_eq!(
        refusal(&many(1024, empty_tensor(&long, DataType::FLOAT, &[0]))),
        message
    );
    // Tensors of two bytes each in the file.
    assert_eq!(refusal(&many(1 << 20, Proto::new())), message);
    assert_eq!(parsed(&many(200_000, Proto::new())).tensors.len(), 200_000);
}

#[test]
fn refusals_have_kinds() {
    use crate::ErrorKind;
    let refused = |bytes: &[u8]| read(&bytes).unwrap_err();
    assert_eq!(refused(b"").kind(), ErrorKind::Unsupported);
    assert_eq!(refused(&[0x08]).kind(), ErrorKind::Unsupported);
    let shrunk = OnnxError::Read(std::io::ErrorKind::UnexpectedEof.into());
    assert_eq!(shrunk.kind(), ErrorKind::Io);
}
