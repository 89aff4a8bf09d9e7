//! What is taken for a model by its content.

use super::build::{Proto, empty_tensor, graph_of, model_of, op, raw};
use crate::onnx::wire::field::{model, tensor};
use crate::onnx::{DataType, is_onnx};

#[test]
fn models_are_recognised() {
    let graph = graph_of(&[op("Relu", "y")], &[raw("W", b"1")]);
    let usual = model_of(graph.clone()).0;
    let other_order = Proto::new()
        .message(model::GRAPH, graph)
        .bytes(model::PRODUCER_NAME, "maker")
        .number(model::MODEL_VERSION, 3)
        .bytes(77, "from a later version")
        .number(model::IR_VERSION, 3);
    assert!(is_onnx(&usual));
    assert!(is_onnx(&other_order.0));
}

#[test]
fn other_files_are_not_taken_for_models() {
    let safetensors = b"\x08\0\0\0\0\0\0\0{}      ".to_vec();
    let integers = empty_tensor("x", DataType::INT64, &[2]).bytes(tensor::INT64_DATA, [1, 2]);
    let floats = empty_tensor("x", DataType::FLOAT, &[1]).bytes(tensor::RAW_DATA, "0123");
    // saved_model_schema_version 1, meta_graphs 2.
    let saved_model = Proto::new()
        .number(1, 1)
        .message(2, Proto::new().bytes(1, "serve"));
    // specificationVersion 1, description 2, neuralNetwork 500.
    let core_ml = Proto::new().number(1, 4).bytes(2, "").bytes(500, "layers");
    let sequence = Proto::new().bytes(1, "x").number(2, 1).bytes(3, "");
    let no_version = Proto::new().message(model::GRAPH, graph_of(&[op("Relu", "y")], &[]));
    let no_graph = Proto::new().number(model::IR_VERSION, 8);
    let odd_graph = Proto::new()
        .number(model::IR_VERSION, 8)
        .message(model::GRAPH, Proto::new().number(1, 1));
    let cut = model_of(graph_of(&[op("Relu", "y")], &[])).0;
    let cut = cut[..cut.len() - 1].to_vec();
    for (case, bytes) in [
        ("empty", Vec::new()),
        ("safetensors", safetensors),
        ("TensorProto of integers", integers.0),
        ("TensorProto", floats.0),
        ("SavedModel", saved_model.0),
        ("Core ML", core_ml.0),
        ("SequenceProto", sequence.0),
        ("no version", no_version.0),
        ("no graph", no_graph.0),
        ("odd graph", odd_graph.0),
        ("cut short", cut),
        ("zip", b"PK\x03\x04\x14\0\0\0".to_vec()),
        ("GGUF", b"GGUF\x03\0\0\0\0\0\0\0".to_vec()),
        ("JSON", b"{\"a\":1}".to_vec()),
        ("text", b"hello, world\n".to_vec()),
        ("NumPy", b"\x93NUMPY\x01\0v\0".to_vec()),
        ("zeroes", vec![0; 4096]),
    ] {
        assert!(!is_onnx(&bytes), "{case} was taken for a model");
    }
}
