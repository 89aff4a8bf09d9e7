//! The protobuf wire format, bounded: a span of the file → its records, one after the other.
//!
//! Nothing is allocated by a declared length: lengths are first checked against the enclosing
//! message, names against [`MAX_NAME`], and everything that is kept is charged to one budget. A
//! field that may occur once is refused the second time: parsers merge the two, and a merged
//! message is not what a reader of either sees.

use super::read_at::ReadAt;
use super::window::Window;
use crate::onnx::OnnxError;

/// The longest name read, in bytes; names of exporters have tens.
pub(crate) const MAX_NAME: u64 = 64 << 10;
/// What is kept of one model, in bytes: room for some 200,000 tensors.
const BUDGET: u64 = 64 << 20;
/// The largest field number (protobuf, "Assigning Field Numbers").
const MAX_FIELD: u64 = (1 << 29) - 1;

/// Bytes of the file from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Span {
    /// Its length in bytes.
    pub(crate) fn length(self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// A number.
    Varint(u64),
    /// Four or eight bytes; no field that is read here has them.
    Fixed,
    /// A string, a message, or packed numbers.
    Bytes(Span),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// The field number.
    pub(crate) field: u32,
    /// Its value.
    pub(crate) value: Value,
    /// All its bytes: tag, length and value.
    pub(crate) span: Span,
}

/// A message that is being walked.
#[derive(Debug)]
pub(crate) struct Message {
    rest: Span,
    once: u64,
    seen: u64,
}

impl Message {
    /// A message with a set of fields (bit n for field n) that may occur only once.
    pub(crate) fn new(body: Span, once: u64) -> Self {
        Self {
            rest: body,
            once,
            seen: 0,
        }
    }
}

/// A reader of wire records.
pub(crate) struct Wire<'a> {
    window: Window<'a>,
    budget: u64,
}

impl<'a> Wire<'a> {
    /// Starts on a source.
    pub(crate) fn new(source: &'a dyn ReadAt) -> Result<Self, OnnxError> {
        Ok(Self {
            window: Window::new(source)?,
            budget: BUDGET,
        })
    }

    /// All of the source.
    pub(crate) fn whole(&self) -> Span {
        self.window.whole()
    }

    /// Takes what is going to be kept, in bytes, from the budget.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), OnnxError> {
        let left = self.budget.checked_sub(bytes as u64);
        self.budget = left.ok_or(OnnxError::Limit(
            "names and tensor descriptions of over 64 MiB",
        ))?;
        Ok(())
    }

    /// The next record of a message; none at its end.
    pub(crate) fn next(&mut self, message: &mut Message) -> Result<Option<Record>, OnnxError> {
        let start = message.rest.start;
        if start >= message.rest.end {
            return Ok(None);
        }
        let tag = self.varint(&mut message.rest)?;
        if !(1..=MAX_FIELD).contains(&(tag >> 3)) {
            return Err(OnnxError::malformed(start, "no field has this number"));
        }
        let value = self.value(tag & 7, start, &mut message.rest)?;
        let field = (tag >> 3) as u32;
        let bit = 1u64.checked_shl(field).unwrap_or(0) & message.once;
        if message.seen & bit != 0 {
            return Err(OnnxError::malformed(
                start,
                "a field that may occur once occurs twice",
            ));
        }
        message.seen |= bit;
        Ok(Some(Record {
            field,
            value,
            span: Span {
                start,
                end: message.rest.start,
            },
        }))
    }

    fn value(&mut self, kind: u64, start: u64, rest: &mut Span) -> Result<Value, OnnxError> {
        let length = match kind {
            0 => return Ok(Value::Varint(self.varint(rest)?)),
            1 => 8,
            2 => self.varint(rest)?,
            5 => 4,
            _ => return Err(OnnxError::malformed(start, "no such wire type in ONNX")),
        };
        let end = rest.start.checked_add(length);
        let Some(end) = end.filter(|end| *end <= rest.end) else {
            return Err(OnnxError::malformed(
                start,
                "a record is longer than what is left, so the file is cut short or no model",
            ));
        };
        let span = Span {
            start: rest.start,
            end,
        };
        rest.start = end;
        Ok(if kind == 2 {
            Value::Bytes(span)
        } else {
            Value::Fixed
        })
    }

    /// Reads a number at the beginning of a span and moves the beginning behind it.
    pub(crate) fn varint(&mut self, rest: &mut Span) -> Result<u64, OnnxError> {
        let start = rest.start;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            if rest.start >= rest.end {
                return Err(OnnxError::malformed(start, "a number is cut short"));
            }
            let byte = self.window.byte(rest.start)?;
            rest.start += 1;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(OnnxError::malformed(
            start,
            "a number has more than 64 bits",
        ))
    }

    /// The bytes of a span that is no longer than a name may be.
    pub(crate) fn bytes(&mut self, mut span: Span) -> Result<Vec<u8>, OnnxError> {
        if span.length() > MAX_NAME {
            return Err(OnnxError::Limit("a name longer than 64 KiB"));
        }
        let mut bytes = Vec::with_capacity(span.length() as usize);
        while span.length() > 0 {
            let some = self.window.some(span)?;
            bytes.extend_from_slice(some);
            span.start += some.len() as u64;
        }
        Ok(bytes)
    }

    /// A name. ONNX demands UTF-8 but its readers do not check: what is not becomes U+FFFD.
    pub(crate) fn text(&mut self, span: Span) -> Result<String, OnnxError> {
        let bytes = self.bytes(span)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
