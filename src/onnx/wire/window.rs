//! A small buffer over positioned reads: offsets → bytes, reading little after each jump.
//!
//! A walk over an ONNX file alternates between metadata, read in order, and weights, jumped over.
//! The window is small after a jump, so that hardly any weights are read, and doubles while the
//! reads follow each other, so that a long list of nodes costs few system calls.

use super::read_at::ReadAt;
use super::reader::Span;
use crate::onnx::OnnxError;

/// The first read after a jump: a page.
const FIRST: u64 = 4 << 10;
/// The longest read: larger ones measured no faster.
const LONGEST: u64 = 64 << 10;

/// A window on a source.
pub(crate) struct Window<'a> {
    source: &'a dyn ReadAt,
    size: u64,
    start: u64,
    buffer: Vec<u8>,
    reach: u64,
}

impl<'a> Window<'a> {
    /// Opens a window on the whole source.
    pub(crate) fn new(source: &'a dyn ReadAt) -> Result<Self, OnnxError> {
        Ok(Self {
            source,
            size: source.size().map_err(OnnxError::Read)?,
            start: 0,
            buffer: Vec::new(),
            reach: FIRST,
        })
    }

    /// All of the source.
    pub(crate) fn whole(&self) -> Span {
        Span {
            start: 0,
            end: self.size,
        }
    }

    /// The byte at an offset.
    pub(crate) fn byte(&mut self, at: u64) -> Result<u8, OnnxError> {
        let span = Span {
            start: at,
            end: at.saturating_add(1),
        };
        Ok(self.some(span)?[0])
    }

    /// The beginning of a span that is not empty: as many bytes as the window holds, at least one.
    pub(crate) fn some(&mut self, span: Span) -> Result<&[u8], OnnxError> {
        let held = self.start..self.start + self.buffer.len() as u64;
        if !held.contains(&span.start) {
            self.fill(span.start, span.start == held.end)?;
        }
        let from = (span.start - self.start) as usize;
        let count = (span.length().min((self.buffer.len() - from) as u64)) as usize;
        Ok(&self.buffer[from..from + count])
    }

    fn fill(&mut self, at: u64, follows: bool) -> Result<(), OnnxError> {
        self.reach = if follows && !self.buffer.is_empty() {
            (self.reach * 2).min(LONGEST)
        } else {
            FIRST
        };
        let length = self.reach.min(self.size.saturating_sub(at));
        if length == 0 {
            return Err(OnnxError::Read(std::io::ErrorKind::UnexpectedEof.into()));
        }
        self.start = at;
        self.buffer.resize(length as usize, 0);
        let read = self.source.read_exact_at(&mut self.buffer, at);
        if read.is_err() {
            self.buffer.clear();
        }
        read.map_err(OnnxError::Read)
    }
}
