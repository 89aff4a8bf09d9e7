//! The protobuf wire format over a slice: as much as a TensorProto needs.

use super::malformed;
use crate::run::tensor::TensorError;

/// One field of a message.
pub(super) struct Field<'a> {
    pub(super) number: u64,
    pub(super) value: Value<'a>,
}

/// The value of a field, by wire type.
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed(&'a [u8]),
    Bytes(&'a [u8]),
}

/// The fields of a message in order; the first fault ends them.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn field(&mut self) -> Result<Field<'a>, TensorError> {
        let tag = varint(&mut self.rest)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed(split(&mut self.rest, 8)?),
            2 => {
                let length = varint(&mut self.rest)?;
                Value::Bytes(split(&mut self.rest, length)?)
            }
            5 => Value::Fixed(split(&mut self.rest, 4)?),
            _ => return Err(malformed("unknown wire type")),
        };
        let number = tag >> 3;
        if number == 0 {
            return Err(malformed("field number 0"));
        }
        Ok(Field { number, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, TensorError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl Value<'_> {
    /// Appends a repeated integer, packed or not.
    pub(super) fn varints(self, values: &mut Vec<u64>) -> Result<(), TensorError> {
        match self {
            Value::Varint(value) => values.push(value),
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    values.push(varint(&mut packed)?);
                }
            }
            Value::Fixed(_) => return Err(malformed("a field has the wrong wire type")),
        }
        Ok(())
    }

    /// Appends a repeated number of `N` bytes, packed or not.
    pub(super) fn fixed<const N: usize>(self, bytes: &mut Vec<u8>) -> Result<(), TensorError> {
        match self {
            Value::Fixed(one) if one.len() == N => bytes.extend_from_slice(one),
            Value::Bytes(packed) if packed.len().is_multiple_of(N) => {
                bytes.extend_from_slice(packed);
            }
            _ => return Err(malformed("a field has the wrong wire type")),
        }
        Ok(())
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, TensorError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or_else(truncated)?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(malformed("a varint is longer than 10 bytes"))
}

fn split<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], TensorError> {
    let length = usize::try_from(length).map_err(|_| truncated())?;
    let (head, rest) = bytes.split_at_checked(length).ok_or_else(truncated)?;
    *bytes = rest;
    Ok(head)
}

fn truncated() -> TensorError {
    malformed("it ends inside a field")
}

/// Appends an integer field.
pub(super) fn put_varint_field(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

/// Appends a length-delimited field.
pub(super) fn put_bytes(out: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
