//! A builder of wire bytes. It knows nothing of ONNX but the numbers that the tests give it.

use crate::onnx::wire::encode::{bytes_field, number_field, varint};
use crate::onnx::wire::field::{attribute, entry, graph, model, node, tensor, value};
use crate::onnx::{DataType, Model, OnnxError, read};

/// A message that is being built.
#[derive(Clone, Default)]
pub(super) struct Proto(pub(super) Vec<u8>);

impl Proto {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn number(mut self, field: u32, number: u64) -> Self {
        number_field(&mut self.0, field, number);
        self
    }

    pub(super) fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        bytes_field(&mut self.0, field, bytes.as_ref());
        self
    }

    pub(super) fn message(self, field: u32, message: Proto) -> Self {
        self.bytes(field, message.0)
    }

    pub(super) fn fixed32(mut self, field: u32, bytes: [u8; 4]) -> Self {
        varint(&mut self.0, u64::from(field) << 3 | 5);
        self.0.extend(bytes);
        self
    }

    /// External data with the given entries.
    pub(super) fn external(self, entries: &[(&str, &str)]) -> Self {
        let entries = entries.iter().fold(self, |proto, (key, text)| {
            let body = Proto::new()
                .bytes(entry::KEY, key)
                .bytes(entry::VALUE, text);
            proto.message(tensor::EXTERNAL_DATA, body)
        });
        entries.number(tensor::DATA_LOCATION, 1)
    }
}

/// A tensor without data.
pub(super) fn empty_tensor(name: &str, data_type: DataType, dims: &[u64]) -> Proto {
    let dims = dims
        .iter()
        .fold(Proto::new(), |proto, dim| proto.number(tensor::DIMS, *dim));
    dims.number(tensor::DATA_TYPE, data_type.0 as u64)
        .bytes(tensor::NAME, name)
}

/// A tensor of bytes with `raw_data`.
pub(super) fn raw(name: &str, bytes: &[u8]) -> Proto {
    empty_tensor(name, DataType(2), &[bytes.len() as u64]).bytes(tensor::RAW_DATA, bytes)
}

/// A node with one output.
pub(super) fn op(kind: &str, output: &str) -> Proto {
    Proto::new()
        .bytes(node::OUTPUT, output)
        .bytes(node::OP_TYPE, kind)
}

/// An attribute of a name with one more field.
pub(super) fn attr(name: &str, field: u32, body: Proto) -> Proto {
    Proto::new()
        .bytes(attribute::NAME, name)
        .message(field, body)
}

/// A Constant node.
pub(super) fn constant(output: &str, body: Proto) -> Proto {
    op("Constant", output).message(node::ATTRIBUTE, attr("value", attribute::T, body))
}

/// A graph of nodes and initializers.
pub(super) fn graph_of(nodes: &[Proto], initializers: &[Proto]) -> Proto {
    let with_nodes = nodes.iter().fold(Proto::new(), |graph, node| {
        graph.message(graph::NODE, node.clone())
    });
    initializers.iter().fold(with_nodes, |graph, initializer| {
        graph.message(graph::INITIALIZER, initializer.clone())
    })
}

/// A model of a graph.
pub(super) fn model_of(graph: Proto) -> Proto {
    Proto::new()
        .number(model::IR_VERSION, 10)
        .message(model::GRAPH, graph)
}

/// A model of initializers.
pub(super) fn weights(initializers: &[Proto]) -> Vec<u8> {
    model_of(graph_of(&[], initializers)).0
}

/// An input or output of a name and a TypeProto.
pub(super) fn value(name: &str, kind: Proto) -> Proto {
    Proto::new()
        .bytes(value::NAME, name)
        .message(value::TYPE, kind)
}

/// The model as read.
pub(super) fn parsed(bytes: &[u8]) -> Model {
    read(&bytes).unwrap()
}

/// The message with which a model is refused.
pub(super) fn refusal(bytes: &[u8]) -> String {
    let refused: Result<Model, OnnxError> = read(&bytes);
    refused.unwrap_err().to_string()
}
