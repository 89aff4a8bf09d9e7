//! The edits that make one file out of another.

use std::collections::BTreeMap;
use std::io::Write;

use super::moves::Move;
use super::piece::{Piece, Pieces};
use crate::onnx::tree::Frame;
use crate::onnx::wire::encode::bytes_header;
use crate::onnx::wire::{Message, Record, Span, Value, Wire};
use crate::onnx::{Model, OnnxError, ReadAt, TensorFault};

/// How much is copied at a time, in bytes.
const COPY: usize = 256 << 10;
/// The reason for which a file is refused that is not the one read before.
const CHANGED: &str = "the file has changed since it was read";

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
        let (_, before) = framed(&mut wire, model.tree.frames()[frame])?;
        bodies.insert(frame, to.body(&mut wire, before)?);
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
    let fault = to.fault(model.tensors.get(index));
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
