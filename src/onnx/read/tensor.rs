//! TensorProto: its description, and where its content stands.

use super::external::External;
use super::model::Walk;
use super::scope::Place;
use crate::onnx::fault::TensorFault;
use crate::onnx::tree::{Frame, Origin};
use crate::onnx::wire::field::tensor as field;
use crate::onnx::wire::{Message, Record, Span, Value, Wire};
use crate::onnx::{Content, DataType, OnnxError, ReadAt, Tensor};

/// The most dimensions of a tensor; NumPy takes no more.
const MAX_RANK: usize = 64;

/// What is known of a tensor from where it was found.
pub(super) struct Found<'a> {
    /// What it is.
    pub(super) origin: Origin,
    /// The name it goes by, if it is not its own.
    pub(super) name: Option<&'a str>,
}

impl Found<'_> {
    /// A tensor that goes by its own name.
    pub(super) fn by_own_name(origin: Origin) -> Self {
        Self { origin, name: None }
    }
}

impl Walk<'_> {
    /// A record that holds a TensorProto.
    pub(super) fn tensor(
        &mut self,
        record: &Record,
        found: Found,
        place: Place,
    ) -> Result<(), OnnxError> {
        let Value::Bytes(body) = record.value else {
            return Ok(());
        };
        let mut proto = Proto::read(&mut self.wire, body)?;
        let content = proto.content();
        let name = found.name.map_or(proto.name, str::to_owned);
        let scope = place.scope.render();
        let content = content.map_err(|fault| OnnxError::Tensor {
            tensor: found.origin.label(&scope, &name),
            fault,
        })?;
        let tensor = Tensor {
            scope,
            name,
            data_type: DataType(proto.data_type),
            shape: proto.dims,
            content: match content {
                Content::Inline { .. } if !place.movable => Content::Bound,
                content => content,
            },
        };
        self.wire.charge(kept_size(&tensor))?;
        self.model.tensors.push(tensor);
        let frame = self.model.tree.push(place.frame, record);
        self.model.tree.tensor(frame, found.origin);
        Ok(())
    }
}

/// Reads the shape of a TensorProto that is a file of its own, as test data is.
///
/// # Errors
/// [`OnnxError::Malformed`] if it is none, [`OnnxError::Tensor`] if its shape is impossible.
pub fn tensor_shape(source: &dyn ReadAt) -> Result<Vec<u64>, OnnxError> {
    let mut wire = Wire::new(source)?;
    let whole = wire.whole();
    let proto = Proto::read(&mut wire, whole)?;
    match proto.fault {
        None => Ok(proto.dims),
        Some(fault) => Err(OnnxError::Tensor {
            tensor: format!("tensor `{}`", proto.name),
            fault,
        }),
    }
}

/// What a tensor takes in memory, in bytes.
fn kept_size(tensor: &Tensor) -> usize {
    let location = match &tensor.content {
        Content::External { location, .. } => location.len(),
        _ => 0,
    };
    let texts = tensor.scope.len() + tensor.name.len() + location;
    let fixed = size_of::<Tensor>() + size_of::<Frame>() + size_of::<(u32, Origin)>();
    texts + fixed + tensor.shape.len() * size_of::<u64>()
}

/// Typed data: packed in one record, or otherwise.
#[derive(Default, Clone, Copy)]
enum Typed {
    #[default]
    Absent,
    Packed(Span),
    Scattered,
}

impl Typed {
    fn add(&mut self, value: Value) {
        *self = match (*self, value) {
            (held, Value::Bytes(span)) if span.length() == 0 => held,
            (Self::Absent, Value::Bytes(span)) => Self::Packed(span),
            _ => Self::Scattered,
        };
    }
}

/// The fields of a TensorProto.
#[derive(Default)]
struct Proto {
    name: String,
    data_type: i32,
    dims: Vec<u64>,
    raw: Option<Span>,
    floats: Typed,
    doubles: Typed,
    /// Data in a form that external data does not have: varints, strings, segments.
    other: bool,
    external: External,
    location: u64,
    fault: Option<TensorFault>,
}

impl Proto {
    fn read(wire: &mut Wire, body: Span) -> Result<Self, OnnxError> {
        let mut proto = Self::default();
        let mut message = Message::new(body, field::ONCE);
        while let Some(record) = wire.next(&mut message)? {
            match (record.field, record.value) {
                (field::DIMS, Value::Varint(dim)) => proto.dimension(dim),
                (field::DIMS, Value::Bytes(mut packed)) => {
                    while packed.length() > 0 {
                        let dim = wire.varint(&mut packed)?;
                        proto.dimension(dim);
                    }
                }
                // The field is an int32: parsers drop the upper half.
                (field::DATA_TYPE, Value::Varint(number)) => proto.data_type = number as i32,
                (field::NAME, Value::Bytes(text)) => proto.name = wire.text(text)?,
                (field::RAW_DATA, Value::Bytes(span)) => proto.raw = Some(span),
                (field::FLOAT_DATA, value) => proto.floats.add(value),
                (field::DOUBLE_DATA, value) => proto.doubles.add(value),
                (
                    field::SEGMENT
                    | field::INT32_DATA
                    | field::STRING_DATA
                    | field::INT64_DATA
                    | field::UINT64_DATA,
                    _,
                ) => proto.other = true,
                (field::EXTERNAL_DATA, Value::Bytes(entry)) => proto.external.add(wire, entry)?,
                (field::DATA_LOCATION, Value::Varint(location)) => proto.location = location,
                _ => {}
            }
        }
        Ok(proto)
    }

    fn dimension(&mut self, dim: u64) {
        let fault = if (dim as i64) < 0 {
            TensorFault::NegativeDimension(dim as i64)
        } else if self.dims.len() == MAX_RANK {
            TensorFault::Rank
        } else {
            self.dims.push(dim);
            return;
        };
        self.fault.get_or_insert(fault);
    }

    fn content(&mut self) -> Result<Content, TensorFault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let data_type = DataType(self.data_type);
        let length = data_type.byte_length(&self.dims);
        if length.is_none() && data_type.bits().is_some() {
            return Err(TensorFault::Overflow(self.dims.clone()));
        }
        match self.location {
            0 => self.inline(length),
            1 if self.has_data() => Err(TensorFault::TwoContents),
            1 => self.external.content(data_type, length),
            other => Err(TensorFault::DataLocation(other)),
        }
    }

    fn has_data(&self) -> bool {
        let raw = self.raw.is_some_and(|raw| raw.length() > 0);
        let typed = [self.floats, self.doubles]
            .iter()
            .any(|typed| !matches!(typed, Typed::Absent));
        raw || typed || self.other
    }

    fn inline(&self, length: Option<u64>) -> Result<Content, TensorFault> {
        let is = |types: [DataType; 2]| types.contains(&DataType(self.data_type));
        let span = match (self.raw, self.floats, self.doubles, self.other) {
            (Some(span), Typed::Absent, Typed::Absent, false) => span,
            (None, Typed::Packed(span), Typed::Absent, false)
                if is([DataType::FLOAT, DataType::COMPLEX64]) =>
            {
                span
            }
            (None, Typed::Absent, Typed::Packed(span), false)
                if is([DataType::DOUBLE, DataType::COMPLEX128]) =>
            {
                span
            }
            _ => return Ok(Content::Bound),
        };
        match length {
            None => Ok(Content::Bound),
            Some(expected) if expected == span.length() => Ok(Content::Inline {
                offset: span.start,
                length: expected,
            }),
            Some(expected) => Err(TensorFault::Length {
                expected,
                actual: span.length(),
            }),
        }
    }
}
