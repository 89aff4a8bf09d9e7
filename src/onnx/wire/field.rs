//! Field numbers of the messages that are walked (onnx.proto), and which of them may occur once.

/// A set of field numbers as bits.
const fn set(fields: &[u32]) -> u64 {
    let mut bits = 0;
    let mut index = 0;
    while index < fields.len() {
        bits |= 1 << fields[index];
        index += 1;
    }
    bits
}

/// ModelProto.
pub(crate) mod model {
    pub(crate) const IR_VERSION: u32 = 1;
    pub(crate) const PRODUCER_NAME: u32 = 2;
    pub(crate) const PRODUCER_VERSION: u32 = 3;
    pub(crate) const DOMAIN: u32 = 4;
    pub(crate) const MODEL_VERSION: u32 = 5;
    pub(crate) const DOC_STRING: u32 = 6;
    pub(crate) const GRAPH: u32 = 7;
    pub(crate) const OPSET_IMPORT: u32 = 8;
    pub(crate) const METADATA_PROPS: u32 = 14;
    pub(crate) const TRAINING_INFO: u32 = 20;
    pub(crate) const FUNCTIONS: u32 = 25;
    pub(crate) const CONFIGURATION: u32 = 26;
    pub(crate) const ONCE: u64 = super::set(&[1, 2, 3, 4, 5, 7]);
}

/// OperatorSetIdProto.
pub(crate) mod opset {
    pub(crate) const DOMAIN: u32 = 1;
    pub(crate) const VERSION: u32 = 2;
    pub(crate) const ONCE: u64 = super::set(&[1, 2]);
}

/// StringStringEntryProto.
pub(crate) mod entry {
    pub(crate) const KEY: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
    pub(crate) const ONCE: u64 = super::set(&[1, 2]);
}

/// TrainingInfoProto.
pub(crate) mod training {
    pub(crate) const INITIALIZATION: u32 = 1;
    pub(crate) const ALGORITHM: u32 = 2;
    pub(crate) const ONCE: u64 = super::set(&[1, 2]);
}

/// FunctionProto.
pub(crate) mod function {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const NODE: u32 = 7;
    pub(crate) const DOMAIN: u32 = 10;
    pub(crate) const ATTRIBUTE_PROTO: u32 = 11;
    pub(crate) const OVERLOAD: u32 = 13;
    pub(crate) const ONCE: u64 = super::set(&[1, 10, 13]);
}

/// GraphProto.
pub(crate) mod graph {
    pub(crate) const NODE: u32 = 1;
    pub(crate) const INITIALIZER: u32 = 5;
    pub(crate) const INPUT: u32 = 11;
    pub(crate) const OUTPUT: u32 = 12;
    pub(crate) const SPARSE_INITIALIZER: u32 = 15;
}

/// NodeProto.
pub(crate) mod node {
    pub(crate) const OUTPUT: u32 = 2;
    pub(crate) const OP_TYPE: u32 = 4;
    pub(crate) const ATTRIBUTE: u32 = 5;
    pub(crate) const DOMAIN: u32 = 7;
    pub(crate) const ONCE: u64 = super::set(&[4, 7]);
}

/// AttributeProto.
pub(crate) mod attribute {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const T: u32 = 5;
    pub(crate) const G: u32 = 6;
    pub(crate) const TENSORS: u32 = 10;
    pub(crate) const GRAPHS: u32 = 11;
    pub(crate) const SPARSE_TENSOR: u32 = 22;
    pub(crate) const SPARSE_TENSORS: u32 = 23;
    pub(crate) const ONCE: u64 = super::set(&[1, 5, 6, 22]);
}

/// SparseTensorProto.
pub(crate) mod sparse {
    pub(crate) const VALUES: u32 = 1;
    pub(crate) const INDICES: u32 = 2;
    pub(crate) const ONCE: u64 = super::set(&[1, 2]);
}

/// TensorProto.
pub(crate) mod tensor {
    pub(crate) const DIMS: u32 = 1;
    pub(crate) const DATA_TYPE: u32 = 2;
    pub(crate) const SEGMENT: u32 = 3;
    pub(crate) const FLOAT_DATA: u32 = 4;
    pub(crate) const INT32_DATA: u32 = 5;
    pub(crate) const STRING_DATA: u32 = 6;
    pub(crate) const INT64_DATA: u32 = 7;
    pub(crate) const NAME: u32 = 8;
    pub(crate) const RAW_DATA: u32 = 9;
    pub(crate) const DOUBLE_DATA: u32 = 10;
    pub(crate) const UINT64_DATA: u32 = 11;
    pub(crate) const EXTERNAL_DATA: u32 = 13;
    pub(crate) const DATA_LOCATION: u32 = 14;
    pub(crate) const ONCE: u64 = super::set(&[2, 3, 8, 9, 14]);
}

/// ValueInfoProto.
pub(crate) mod value {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const TYPE: u32 = 2;
}

/// TypeProto, its tensor, sequence, map and optional types, and TensorShapeProto.
pub(crate) mod kind {
    pub(crate) const TENSOR: u32 = 1;
    pub(crate) const SEQUENCE: u32 = 4;
    pub(crate) const MAP: u32 = 5;
    pub(crate) const OPAQUE: u32 = 7;
    pub(crate) const SPARSE_TENSOR: u32 = 8;
    pub(crate) const OPTIONAL: u32 = 9;
    /// Of a tensor, a sequence and an optional.
    pub(crate) const ELEM_TYPE: u32 = 1;
    /// Of a tensor.
    pub(crate) const SHAPE: u32 = 2;
    /// Of a map.
    pub(crate) const KEY_TYPE: u32 = 1;
    /// Of a map.
    pub(crate) const VALUE_TYPE: u32 = 2;
    /// Of a shape.
    pub(crate) const DIM: u32 = 1;
    /// Of a dimension.
    pub(crate) const DIM_VALUE: u32 = 1;
    /// Of a dimension.
    pub(crate) const DIM_PARAM: u32 = 2;
}
