//! Tensors as `TensorProto` messages: the `.pb` files of ONNX test data (onnx.proto).
//!
//! ```text
//! 1 dims  2 data_type  4 float_data  5 int32_data  6 string_data  7 int64_data
//! 8 name  9 raw_data  10 double_data  11 uint64_data  13 external_data  14 data_location
//! ```
//!
//! What is written has `dims`, `data_type`, `name` and either `raw_data` or `string_data`, in the
//! order of their numbers: equal tensors give equal bytes.

mod wire;

use self::wire::{Field, Fields, Value, put_bytes, put_varint_field};
use super::{Data, Tensor, TensorError};
use crate::onnx::DataType;

/// What a TensorProto says, before its content is checked.
#[derive(Default)]
struct Message {
    dims: Vec<u64>,
    data_type: i32,
    name: String,
    raw: Option<Vec<u8>>,
    /// `float_data` and `double_data`: already the little-endian bytes.
    fixed: Vec<u8>,
    /// `int32_data`, `int64_data` and `uint64_data`.
    varints: Vec<u64>,
    strings: Vec<String>,
}

/// Reads a TensorProto: its name, which may be empty, and the tensor.
pub fn decode_proto(bytes: &[u8]) -> Result<(String, Tensor), TensorError> {
    let mut message = Message::default();
    for field in Fields::new(bytes) {
        message.take(field?)?;
    }
    let name = std::mem::take(&mut message.name);
    Ok((name, message.tensor()?))
}

/// Writes a TensorProto.
pub fn encode_proto(name: &str, tensor: &Tensor) -> Vec<u8> {
    let mut out = Vec::new();
    for dim in tensor.shape() {
        put_varint_field(&mut out, 1, *dim);
    }
    put_varint_field(&mut out, 2, u64::from(tensor.dtype().0.unsigned_abs()));
    if let Data::Strings(strings) = tensor.data() {
        for string in strings {
            put_bytes(&mut out, 6, string.as_bytes());
        }
    }
    if !name.is_empty() {
        put_bytes(&mut out, 8, name.as_bytes());
    }
    if let Data::Bytes(bytes) = tensor.data() {
        put_bytes(&mut out, 9, bytes);
    }
    out
}

impl Message {
    fn take(&mut self, field: Field<'_>) -> Result<(), TensorError> {
        match (field.number, field.value) {
            (1, value) => value.varints(&mut self.dims)?,
            (2, Value::Varint(number)) => {
                self.data_type = i32::try_from(number).map_err(|_| malformed("bad data type"))?;
            }
            // Field 3 is `segment` of a tensor, and the values of a SequenceProto or OptionalProto.
            (3, _) => {
                let what = "a sequence, an optional value or a tensor in segments";
                return Err(TensorError::Unsupported(what.to_owned()));
            }
            (4, value) => value.fixed::<4>(&mut self.fixed)?,
            (5 | 7 | 11, value) => value.varints(&mut self.varints)?,
            (6, Value::Bytes(text)) => self.strings.push(utf8(text)?),
            (8, Value::Bytes(text)) => self.name = utf8(text)?,
            (9, Value::Bytes(raw)) => self.raw = Some(raw.to_vec()),
            (10, value) => value.fixed::<8>(&mut self.fixed)?,
            (13, _) | (14, Value::Varint(1)) => {
                let what = "a test tensor whose data is in another file";
                return Err(TensorError::Unsupported(what.to_owned()));
            }
            (2 | 6 | 8 | 9, _) => return Err(malformed("a field has the wrong wire type")),
            _ => {}
        }
        Ok(())
    }

    fn tensor(self) -> Result<Tensor, TensorError> {
        let dtype = DataType(self.data_type);
        if dtype == DataType::STRING {
            return Tensor::from_strings(self.dims, self.strings);
        }
        let kinds = usize::from(self.raw.is_some())
            + usize::from(!self.fixed.is_empty())
            + usize::from(!self.varints.is_empty())
            + usize::from(!self.strings.is_empty());
        if kinds > 1 {
            return Err(malformed("its data is in several fields"));
        }
        let bytes = match self.raw {
            Some(raw) => raw,
            None if !self.varints.is_empty() => narrowed(dtype, &self.varints)?,
            None => self.fixed,
        };
        Tensor::new(dtype, self.dims, bytes)
    }
}

/// The elements of a varint field in the width of their type; one that does not fit is refused.
fn narrowed(dtype: DataType, values: &[u64]) -> Result<Vec<u8>, TensorError> {
    let bits = dtype.bits().unwrap_or_default();
    // Sub-byte types are packed: one value of the field is one byte.
    let width = (bits.max(8) / 8) as usize;
    if width > 8 {
        return Err(malformed("complex numbers in an integer field"));
    }
    let signed = matches!(dtype.name(), "int8" | "int16" | "int32" | "int64");
    let mut bytes = Vec::with_capacity(values.len().saturating_mul(width));
    for value in values {
        let unused = 64 - 8 * width as u32;
        let fits = if signed {
            ((*value as i64) << unused) >> unused == *value as i64
        } else {
            (*value << unused) >> unused == *value
        };
        if !fits {
            return Err(TensorError::Element {
                value: value.to_string(),
                dtype,
            });
        }
        bytes.extend_from_slice(&value.to_le_bytes()[..width]);
    }
    Ok(bytes)
}

fn utf8(bytes: &[u8]) -> Result<String, TensorError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned)
        .map_err(|_| malformed("a string is not UTF-8"))
}

fn malformed(reason: &str) -> TensorError {
    TensorError::Malformed {
        format: "a TensorProto",
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
