//! Element types of tensors (onnx.proto, `TensorProto.DataType`).

/// An element type: the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataType(pub i32);

/// Name and width in bits of each type, by number; strings have no width.
const TYPES: [(&str, u64); 27] = [
    ("undefined", 0),
    ("float", 32),
    ("uint8", 8),
    ("int8", 8),
    ("uint16", 16),
    ("int16", 16),
    ("int32", 32),
    ("int64", 64),
    ("string", 0),
    ("bool", 8),
    ("float16", 16),
    ("double", 64),
    ("uint32", 32),
    ("uint64", 64),
    ("complex64", 64),
    ("complex128", 128),
    ("bfloat16", 16),
    ("float8e4m3fn", 8),
    ("float8e4m3fnuz", 8),
    ("float8e5m2", 8),
    ("float8e5m2fnuz", 8),
    ("uint4", 4),
    ("int4", 4),
    ("float4e2m1", 4),
    ("float8e8m0", 8),
    ("uint2", 2),
    ("int2", 2),
];

impl DataType {
    /// FLOAT.
    pub const FLOAT: Self = Self(1);
    /// INT32.
    pub const INT32: Self = Self(6);
    /// INT64.
    pub const INT64: Self = Self(7);
    /// STRING.
    pub const STRING: Self = Self(8);
    /// BOOL.
    pub const BOOL: Self = Self(9);
    /// DOUBLE.
    pub const DOUBLE: Self = Self(11);
    /// COMPLEX64.
    pub const COMPLEX64: Self = Self(14);
    /// COMPLEX128.
    pub const COMPLEX128: Self = Self(15);

    fn entry(self) -> Option<&'static (&'static str, u64)> {
        usize::try_from(self.0)
            .ok()
            .and_then(|index| TYPES.get(index))
    }

    /// The name in lower case, `unknown` for a number that is not assigned.
    pub fn name(self) -> &'static str {
        self.entry().map_or("unknown", |(name, _)| name)
    }

    /// The type of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        TYPES
            .iter()
            .position(|(known, _)| *known == name)
            .map(|index| Self(index as i32))
    }

    /// The width of an element in bits; `None` where elements have no fixed width.
    pub fn bits(self) -> Option<u64> {
        self.entry().map(|(_, bits)| *bits).filter(|bits| *bits > 0)
    }

    /// The length in bytes of a tensor of this shape, sub-byte types rounded up; `None` where there
    /// is none or it is beyond 2^64.
    pub fn byte_length(self, shape: &[u64]) -> Option<u64> {
        let elements = shape
            .iter()
            .try_fold(1u64, |product, dim| product.checked_mul(*dim))?;
        Some(elements.checked_mul(self.bits()?)?.div_ceil(8))
    }
}
