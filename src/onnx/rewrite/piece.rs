//! The pieces of a rewritten file.

use crate::onnx::wire::Span;

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

/// Pieces in order, merged where they touch.
#[derive(Default)]
pub(super) struct Pieces {
    pub(super) list: Vec<Piece>,
    pub(super) length: u64,
}

impl Pieces {
    /// Adds a range of the original file.
    pub(super) fn copy(&mut self, span: Span) {
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

    /// Adds new bytes.
    pub(super) fn append(&mut self, bytes: Vec<u8>) {
        self.length += bytes.len() as u64;
        match self.list.last_mut() {
            Some(Piece::New(last)) => last.extend_from_slice(&bytes),
            _ if bytes.is_empty() => {}
            _ => self.list.push(Piece::New(bytes)),
        }
    }

    /// Adds the pieces of another list.
    pub(super) fn extend(&mut self, other: Self) {
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
