//! ValueInfoProto and TypeProto: a graph's inputs and outputs.

use std::fmt;

use super::model::Walk;
use crate::onnx::wire::field::{kind as field, value};
use crate::onnx::wire::{Message, Span, Value};
use crate::onnx::{DataType, Dim, OnnxError, ValueInfo};

/// How many types may enclose each other.
const MAX_DEPTH: u32 = 64;

/// A type, written as ONNX Runtime writes it.
enum Kind {
    Unknown,
    Opaque,
    Tensor(DataType),
    SparseTensor(DataType),
    Sequence(Box<Kind>),
    Map(DataType, Box<Kind>),
    Optional(Box<Kind>),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Opaque => f.write_str("opaque"),
            Self::Tensor(element) => write!(f, "tensor({})", element.name()),
            Self::SparseTensor(element) => write!(f, "sparse_tensor({})", element.name()),
            Self::Sequence(element) => write!(f, "seq({element})"),
            Self::Map(key, value) => write!(f, "map({},{value})", key.name()),
            Self::Optional(element) => write!(f, "optional({element})"),
        }
    }
}

/// A type and the shape of a tensor of it.
type Typed = (Kind, Option<Vec<Dim>>);

impl Walk<'_> {
    /// An input or output.
    pub(super) fn value_info(&mut self, body: Span) -> Result<ValueInfo, OnnxError> {
        let mut name = String::new();
        let mut typed = (Kind::Unknown, None);
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            match (record.field, record.value) {
                (value::NAME, Value::Bytes(text)) => name = self.kept(text)?,
                (value::TYPE, Value::Bytes(body)) => typed = self.kind(body, 0)?,
                _ => {}
            }
        }
        self.wire.charge(size_of::<ValueInfo>())?;
        Ok(ValueInfo {
            name,
            dtype: match &typed.0 {
                Kind::Tensor(element) => element.name().to_owned(),
                kind => kind.to_string(),
            },
            shape: typed.1,
        })
    }

    fn kind(&mut self, body: Span, depth: u32) -> Result<Typed, OnnxError> {
        if depth > MAX_DEPTH {
            return Err(OnnxError::Limit("types nested over 64 deep"));
        }
        let mut typed = (Kind::Unknown, None);
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            let Value::Bytes(body) = record.value else {
                continue;
            };
            typed = match record.field {
                field::TENSOR | field::SPARSE_TENSOR => self.tensor_kind(record.field, body)?,
                field::SEQUENCE => (Kind::Sequence(self.element(body, depth)?), None),
                field::OPTIONAL => (Kind::Optional(self.element(body, depth)?), None),
                field::MAP => self.map_kind(body, depth)?,
                field::OPAQUE => (Kind::Opaque, None),
                _ => continue,
            };
        }
        Ok(typed)
    }

    fn tensor_kind(&mut self, number: u32, body: Span) -> Result<Typed, OnnxError> {
        let mut element = DataType(0);
        let mut shape = None;
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::ELEM_TYPE, Value::Varint(number)) => element = DataType(number as i32),
                (field::SHAPE, Value::Bytes(body)) => shape = Some(self.dims(body)?),
                _ => {}
            }
        }
        let kind = match number {
            field::TENSOR => Kind::Tensor(element),
            _ => Kind::SparseTensor(element),
        };
        Ok((kind, shape))
    }

    /// The type of the elements of a sequence or an optional.
    fn element(&mut self, body: Span, depth: u32) -> Result<Box<Kind>, OnnxError> {
        let mut kind = Kind::Unknown;
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            if let (field::ELEM_TYPE, Value::Bytes(body)) = (record.field, record.value) {
                kind = self.kind(body, depth + 1)?.0;
            }
        }
        Ok(Box::new(kind))
    }

    fn map_kind(&mut self, body: Span, depth: u32) -> Result<Typed, OnnxError> {
        let (mut key, mut value) = (DataType(0), Kind::Unknown);
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::KEY_TYPE, Value::Varint(number)) => key = DataType(number as i32),
                (field::VALUE_TYPE, Value::Bytes(body)) => value = self.kind(body, depth + 1)?.0,
                _ => {}
            }
        }
        Ok((Kind::Map(key, Box::new(value)), None))
    }

    fn dims(&mut self, body: Span) -> Result<Vec<Dim>, OnnxError> {
        let mut dims = Vec::new();
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            if let (field::DIM, Value::Bytes(body)) = (record.field, record.value) {
                self.wire.charge(size_of::<Dim>())?;
                let dim = self.dim(body)?;
                dims.push(dim);
            }
        }
        Ok(dims)
    }

    fn dim(&mut self, body: Span) -> Result<Dim, OnnxError> {
        let mut dim = Dim::Unknown;
        let mut message = Message::new(body, 0);
        while let Some(record) = self.wire.next(&mut message)? {
            dim = match (record.field, record.value) {
                // Exporters write -1 for a dimension they do not know.
                (field::DIM_VALUE, Value::Varint(number)) => match i64::try_from(number) {
                    Ok(_) => Dim::Fixed(number),
                    Err(_) => Dim::Unknown,
                },
                (field::DIM_PARAM, Value::Bytes(text)) => match self.kept(text)? {
                    symbol if symbol.is_empty() => Dim::Unknown,
                    symbol => Dim::Symbol(symbol),
                },
                _ => continue,
            };
        }
        Ok(dim)
    }
}
