//! Small ONNX models, built from wire bytes: as little as a test needs, and what no library writes.

/// A protobuf message that is being built.
#[derive(Clone, Default)]
pub(crate) struct Proto(pub(crate) Vec<u8>);

impl Proto {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn number(mut self, field: u32, number: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(number);
        self
    }

    pub(crate) fn bytes(mut self, field: u32, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend(bytes.as_ref());
        self
    }

    pub(crate) fn message(self, field: u32, message: Self) -> Self {
        self.bytes(field, message.0)
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// A ModelProto of IR 8 and operator set 17 around a GraphProto; a second operator set where a
/// domain is given.
pub(crate) fn model(graph: Proto, domain: &str) -> Vec<u8> {
    let opset = |domain: &str, version| Proto::new().bytes(1, domain).number(2, version);
    let mut model = Proto::new()
        .number(1, 8)
        .message(7, graph)
        .message(8, opset("", 17));
    if !domain.is_empty() {
        model = model.message(8, opset(domain, 1));
    }
    model.0
}

/// A NodeProto.
pub(crate) fn node(domain: &str, operator: &str, inputs: &[&str], outputs: &[&str]) -> Proto {
    let node = inputs
        .iter()
        .fold(Proto::new(), |node, name| node.bytes(1, name));
    let node = outputs.iter().fold(node, |node, name| node.bytes(2, name));
    node.bytes(4, operator).bytes(7, domain)
}

/// An AttributeProto: a field with its value, and its type.
pub(crate) fn attribute(name: &str, field: u32, body: Proto, kind: u64) -> Proto {
    Proto::new()
        .bytes(1, name)
        .message(field, body)
        .number(20, kind)
}

/// A ValueInfoProto of a tensor; `None` is a dimension of unknown length.
pub(crate) fn value(name: &str, dtype: u64, dims: &[Option<u64>]) -> Proto {
    let dims = dims.iter().fold(Proto::new(), |shape, dim| {
        let dim = dim.map_or(Proto::new(), |length| Proto::new().number(1, length));
        shape.message(1, dim)
    });
    let tensor = Proto::new().number(1, dtype).message(2, dims);
    Proto::new()
        .bytes(1, name)
        .message(2, Proto::new().message(1, tensor))
}

/// A TensorProto without data.
pub(crate) fn tensor(name: &str, dtype: u64, dims: &[u64]) -> Proto {
    let tensor = dims
        .iter()
        .fold(Proto::new(), |tensor, dim| tensor.number(1, *dim));
    tensor.number(2, dtype).bytes(8, name)
}

/// A TensorProto with external data.
pub(crate) fn external(name: &str, dims: &[u64], entries: &[(&str, &str)]) -> Proto {
    let tensor = entries
        .iter()
        .fold(tensor(name, 1, dims), |tensor, (key, text)| {
            tensor.message(13, Proto::new().bytes(1, key).bytes(2, text))
        });
    tensor.number(14, 1)
}

/// A GraphProto that adds an initializer `w` of two floats to an input `x` and gives `y`.
pub(crate) fn addition(initializer: Proto) -> Proto {
    Proto::new()
        .message(1, node("", "Add", &["x", "w"], &["y"]))
        .bytes(2, "addition")
        .message(5, initializer)
        .message(11, value("x", 1, &[Some(2)]))
        .message(12, value("y", 1, &[Some(2)]))
}
