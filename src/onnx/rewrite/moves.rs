//! Where tensors go, and their records once they are there.

use crate::onnx::wire::encode::{bytes_field, number_field};
use crate::onnx::wire::field::{entry, tensor as field};
use crate::onnx::wire::{Message, Span, Wire};
use crate::onnx::{Content, OnnxError, Tensor, TensorFault};

use super::piece::Pieces;

/// `data_location` of external data.
const EXTERNAL: u64 = 1;

/// Where the content of a tensor goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// To another file.
    External {
        /// Its path from the model's folder.
        location: String,
        /// Where in it, in bytes.
        offset: u64,
        /// The tensor's length in bytes.
        length: u64,
    },
    /// Into the model: these bytes.
    Inline(Vec<u8>),
}

impl Move {
    /// The length in bytes of what is moved.
    fn length(&self) -> u64 {
        match self {
            Self::External { length, .. } => *length,
            Self::Inline(bytes) => bytes.len() as u64,
        }
    }

    /// Why a tensor cannot go there.
    pub(super) fn fault(&self, tensor: Option<&Tensor>) -> Option<TensorFault> {
        match tensor.map(|tensor| &tensor.content) {
            Some(Content::Inline { length, .. } | Content::External { length, .. }) => {
                (*length != self.length()).then(|| TensorFault::Length {
                    expected: *length,
                    actual: self.length(),
                })
            }
            Some(Content::Bound) | None => Some(TensorFault::Bound),
        }
    }

    /// The body of the tensor's record after the move, from what it was before.
    pub(super) fn body(&self, wire: &mut Wire, before: Span) -> Result<Pieces, OnnxError> {
        let mut pieces = Pieces::default();
        let mut message = Message::new(before, field::ONCE);
        while let Some(record) = wire.next(&mut message)? {
            match record.field {
                field::RAW_DATA
                | field::FLOAT_DATA
                | field::DOUBLE_DATA
                | field::EXTERNAL_DATA
                | field::DATA_LOCATION => {}
                _ => pieces.copy(record.span),
            }
        }
        let mut new = Vec::new();
        match self {
            Self::Inline(bytes) => bytes_field(&mut new, field::RAW_DATA, bytes),
            Self::External {
                location,
                offset,
                length,
            } => {
                external_entry(&mut new, "location", location);
                external_entry(&mut new, "offset", &offset.to_string());
                external_entry(&mut new, "length", &length.to_string());
                number_field(&mut new, field::DATA_LOCATION, EXTERNAL);
            }
        }
        pieces.append(new);
        Ok(pieces)
    }
}

fn external_entry(out: &mut Vec<u8>, key: &str, value: &str) {
    let mut body = Vec::new();
    bytes_field(&mut body, entry::KEY, key.as_bytes());
    bytes_field(&mut body, entry::VALUE, value.as_bytes());
    bytes_field(out, field::EXTERNAL_DATA, &body);
}
