//! Small ONNX models, written field by field (onnx.proto; facts of the wire format are protobuf's).
//!
//! They are valid: ONNX Runtime loads them. Values are drawn from a seed, so that every run of every
//! test sees the same bytes.

/// `data_type` FLOAT.
pub(crate) const FLOAT: u64 = 1;
/// `data_type` INT64.
pub(crate) const INT64: u64 = 7;

/// A number as protobuf writes it.
pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A field that is a number.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field that is a string, a message or packed numbers.
pub(crate) fn bytes(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let head = [varint(field << 3 | 2), varint(content.len() as u64)].concat();
    [head, content.to_vec()].concat()
}

/// Floats in 1..2 that a seed decides, little-endian.
pub(crate) fn floats(seed: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; 4 * count];
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    for float in bytes.chunks_exact_mut(4) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mantissa = (state >> 41) as u32;
        float.copy_from_slice(&(0x3f80_0000 | mantissa).to_le_bytes());
    }
    bytes
}

/// A TensorProto with its content inside.
pub(crate) fn tensor(name: &str, data_type: u64, dims: &[u64], raw: &[u8]) -> Vec<u8> {
    let head = tensor_head(name, data_type, dims);
    [head, bytes(9, raw)].concat()
}

/// A TensorProto whose content is a range of another file.
pub(crate) fn external(
    name: &str,
    data_type: u64,
    dims: &[u64],
    (file, offset): (&str, u64),
) -> Vec<u8> {
    let width = if data_type == INT64 { 8 } else { 4 };
    let length = dims.iter().product::<u64>() * width;
    let entry = |key: &str, value: &str| bytes(13, [bytes(1, key), bytes(2, value)].concat());
    [
        tensor_head(name, data_type, dims),
        entry("location", file),
        entry("offset", &offset.to_string()),
        entry("length", &length.to_string()),
        number(14, 1),
    ]
    .concat()
}

fn tensor_head(name: &str, data_type: u64, dims: &[u64]) -> Vec<u8> {
    let dims = dims.iter().flat_map(|dim| number(1, *dim)).collect();
    [dims, number(2, data_type), bytes(8, name)].concat()
}

/// A model that adds all elements of its initializers, vectors of FLOAT, to its input `x`: `y`.
pub(crate) fn sum(initializers: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut graph = Vec::new();
    let mut value = "x".to_owned();
    for (index, (name, _)) in initializers.iter().enumerate() {
        let last = index + 1 == initializers.len();
        let output = if last {
            "y".to_owned()
        } else {
            format!("sum_{index}")
        };
        let reduced = format!("reduced_{index}");
        graph.extend(node("ReduceSum", &[name], &reduced));
        graph.extend(node("Add", &[&value, &reduced], &output));
        value = output;
    }
    graph.extend(bytes(2, "sum"));
    for (_, tensor) in initializers {
        graph.extend(bytes(5, tensor));
    }
    graph.extend(bytes(11, value_info("x", &[1])));
    graph.extend(bytes(12, value_info("y", &[1])));
    model(&graph)
}

/// A node of a graph, as a field of it.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|input| bytes(1, input)).collect();
    bytes(1, [inputs, bytes(2, output), bytes(4, operator)].concat())
}

/// A ValueInfoProto of floats.
pub(crate) fn value_info(name: &str, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|dim| bytes(1, number(1, *dim)))
        .collect();
    let tensor = [number(1, FLOAT), bytes(2, dims)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// A ModelProto around a GraphProto: IR 8, opset 17.
pub(crate) fn model(graph: &[u8]) -> Vec<u8> {
    let opset = bytes(8, number(2, 17));
    [
        number(1, 8),
        bytes(2, "modelctl-tests"),
        bytes(7, graph),
        opset,
    ]
    .concat()
}

/// [`sum`] over initializers that are in the file: name, how many floats, and a seed.
pub(crate) fn inline_sum(tensors: &[(&str, usize, u64)]) -> Vec<u8> {
    let initializers: Vec<_> = tensors
        .iter()
        .map(|&(name, count, seed)| {
            let raw = floats(seed, count);
            (name, tensor(name, FLOAT, &[count as u64], &raw))
        })
        .collect();
    sum(&initializers)
}

/// [`sum`] over initializers in another file: name, how many floats, and the offset there.
pub(crate) fn external_sum(file: &str, tensors: &[(&str, usize, u64)]) -> Vec<u8> {
    let initializers: Vec<_> = tensors
        .iter()
        .map(|&(name, count, offset)| {
            (name, external(name, FLOAT, &[count as u64], (file, offset)))
        })
        .collect();
    sum(&initializers)
}
