//! An ONNX file written anew with tensors moved out of it or into it.
//!
//! A model and what becomes of its tensors → the pieces of the new file: ranges of the original
//! one and new bytes between them. Only the records of the moved tensors change, and the lengths of
//! the messages around them; every other byte is copied, fields unknown to this reader included.
//! The same file and the same moves give the same bytes.

use std::collections::BTreeMap;
use std::io::Write;

use super::encode::{bytes_field, bytes_header, number_field};
use super::fault::TensorFault;
use super::field::{entry, tensor as field};
use super::read_at::ReadAt;
use super::tree::Frame;
use super::wire::{Message, Record, Span, Value, Wire};
use super::{Content, Model, OnnxError};

/// `data_location` of external data.
const EXTERNAL: u64 = 1;
/// How much is copied at a time, in bytes.
const COPY: usize = 256 << 10;

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

/// A part of a rewritten file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A range of the original file, in bytes.
    Original {
        /// Where it begins.
        offset: u64,
        /// How long it is.
        length: u64,
    },
    /// New bytes.
    New(Vec<u8>),
}

impl Piece {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Original { length, .. } => *length,
            Self::New(bytes) => bytes.len() as u64,
        }
    }
}

/// Writes the file anew with some tensors, by their index in [`Model::tensors`], moved.
///
/// # Errors
/// As [`pieces`]; [`OnnxError::Write`] if the output fails.
pub fn rewrite(
    source: &dyn ReadAt,
    model: &Model,
    moves: &BTreeMap<usize, Move>,
    out: &mut dyn Write,
) -> Result<(), OnnxError> {
    let mut buffer = Vec::new();
    for piece in pieces(source, model, moves)? {
        match piece {
            Piece::New(bytes) => out.write_all(&bytes).map_err(OnnxError::Write)?,
            Piece::Original { offset, length } => {
                let mut at = offset;
                while at < offset + length {
                    buffer.resize(COPY.min((offset + length - at) as usize), 0);
                    let read = source.read_exact_at(&mut buffer, at);
                    read.map_err(OnnxError::Read)?;
                    out.write_all(&buffer).map_err(OnnxError::Write)?;
                    at += buffer.len() as u64;
                }
            }
        }
    }
    Ok(())
}

/// The pieces of the file written anew with some tensors, by their index in [`Model::tensors`],
/// moved. Adjacent pieces are merged; no piece is empty.
///
/// # Errors
/// [`OnnxError::Tensor`] for a tensor that cannot be moved or a move of another length;
/// [`OnnxError::Malformed`] if the file is not the one that the model was read from.
pub fn pieces(
    source: &dyn ReadAt,
    model: &Model,
    moves: &BTreeMap<usize, Move>,
) -> Result<Vec<Piece>, OnnxError> {
    let mut wire = Wire::new(source)?;
    let mut bodies = BTreeMap::new();
    for (index, to) in moves {
        let frame = movable(model, *index, to)?;
        bodies.insert(
            frame,
            moved_body(&mut wire, model.tree.frames()[frame], to)?,
        );
    }
    let edits = edits(&mut wire, model.tree.frames(), bodies)?;
    let whole = wire.whole();
    let mut pieces = Pieces::default();
    let mut at = whole.start;
    for (start, edit) in edits {
        pieces.copy(Span {
            start: at,
            end: start,
        });
        pieces.extend(edit.with);
        at = edit.end;
    }
    pieces.copy(Span {
        start: at,
        end: whole.end,
    });
    Ok(pieces.list)
}

/// The frame of a tensor, if the move fits it.
fn movable(model: &Model, index: usize, to: &Move) -> Result<usize, OnnxError> {
    let actual = match to {
        Move::External { length, .. } => *length,
        Move::Inline(bytes) => bytes.len() as u64,
    };
    let held = model.tensors.get(index).map(|tensor| &tensor.content);
    let fault = match held {
        Some(Content::Inline { length, .. } | Content::External { length, .. }) => {
            (*length != actual).then_some(TensorFault::Length {
                expected: *length,
                actual,
            })
        }
        Some(Content::Bound) | None => Some(TensorFault::Bound),
    };
    match (fault, model.tree.frame_of(index)) {
        (None, Some(frame)) => Ok(frame),
        (fault, _) => Err(OnnxError::Tensor {
            tensor: model.label(index),
            fault: fault.unwrap_or(TensorFault::Bound),
        }),
    }
}

/// The record of a frame, read again.
fn framed(wire: &mut Wire, frame: Frame) -> Result<(Record, Span), OnnxError> {
    let start = frame.record.start;
    match wire.next(&mut Message::new(frame.record, 0))? {
        Some(record) if record.span == frame.record => match record.value {
            Value::Bytes(body) => Ok((record, body)),
            _ => Err(OnnxError::malformed(start, CHANGED)),
        },
        _ => Err(OnnxError::malformed(start, CHANGED)),
    }
}

const CHANGED: &str = "the file has changed since it was read";

/// The body of a tensor's record after its move.
fn moved_body(wire: &mut Wire, frame: Frame, to: &Move) -> Result<Pieces, OnnxError> {
    let (_, body) = framed(wire, frame)?;
    let mut pieces = Pieces::default();
    let mut message = Message::new(body, field::ONCE);
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
    match to {
        Move::Inline(bytes) => bytes_field(&mut new, field::RAW_DATA, bytes),
        Move::External {
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

fn external_entry(out: &mut Vec<u8>, key: &str, value: &str) {
    let mut body = Vec::new();
    bytes_field(&mut body, entry::KEY, key.as_bytes());
    bytes_field(&mut body, entry::VALUE, value.as_bytes());
    bytes_field(out, field::EXTERNAL_DATA, &body);
}

/// A replacement of bytes of the original file up to `end`.
struct Edit {
    end: u64,
    with: Pieces,
}

/// What replaces what, by where it begins: the records of the moved tensors, and the tags and
/// lengths of the messages around them. Frames are visited from the last to the first, so that each
/// knows by how much those inside it have grown.
fn edits(
    wire: &mut Wire,
    frames: &[Frame],
    mut bodies: BTreeMap<usize, Pieces>,
) -> Result<BTreeMap<u64, Edit>, OnnxError> {
    let mut edits = BTreeMap::new();
    let mut growth = vec![0i64; frames.len()];
    for (index, frame) in frames.iter().enumerate().rev() {
        let moved = bodies.remove(&index);
        if moved.is_none() && growth[index] == 0 {
            continue;
        }
        let (record, body) = framed(wire, *frame)?;
        let length = match &moved {
            Some(pieces) => Some(pieces.length),
            None => body.length().checked_add_signed(growth[index]),
        };
        let length = length.ok_or(OnnxError::malformed(frame.record.start, CHANGED))?;
        let mut header = Vec::new();
        bytes_header(&mut header, record.field, length);
        let record_length = header.len() as u64 + length;
        if let Some(parent) = frame.parent {
            growth[parent as usize] += record_length as i64 - record.span.length() as i64;
        }
        let mut with = Pieces::default();
        with.append(header);
        let end = match moved {
            Some(pieces) => {
                with.extend(pieces);
                record.span.end
            }
            None => body.start,
        };
        edits.insert(record.span.start, Edit { end, with });
    }
    Ok(edits)
}

/// Pieces in order, merged where they touch.
#[derive(Default)]
struct Pieces {
    list: Vec<Piece>,
    length: u64,
}

impl Pieces {
    fn copy(&mut self, span: Span) {
        let added = span.length();
        if added == 0 {
            return;
        }
        self.length += added;
        match self.list.last_mut() {
            Some(Piece::Original { offset, length }) if *offset + *length == span.start => {
                *length += added;
            }
            _ => self.list.push(Piece::Original {
                offset: span.start,
                length: added,
            }),
        }
    }

    fn append(&mut self, bytes: Vec<u8>) {
        self.length += bytes.len() as u64;
        match self.list.last_mut() {
            Some(Piece::New(last)) => last.extend_from_slice(&bytes),
            _ if bytes.is_empty() => {}
            _ => self.list.push(Piece::New(bytes)),
        }
    }

    fn extend(&mut self, other: Self) {
        for piece in other.list {
            match piece {
                Piece::New(bytes) => self.append(bytes),
                Piece::Original { offset, length } => self.copy(Span {
                    start: offset,
                    end: offset + length,
                }),
            }
        }
    }
}
