//! The header of a `.npy` file: a Python dictionary of exactly three known keys.

use super::descr::Descr;
use super::{MAGIC, malformed};
use crate::run::tensor::TensorError;

/// The longest header, in bytes; NumPy itself stops at 10,000.
const MAX_HEADER: usize = 10_000;
/// The most dimensions; NumPy's own limit.
const MAX_DIMENSIONS: usize = 64;
/// The data begins at a multiple of this, in bytes.
const ALIGNMENT: usize = 64;

/// What stands before the data.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) descr: Descr,
    pub(super) fortran: bool,
    pub(super) shape: Vec<u64>,
}

impl Header {
    /// Reads the header and gives the data behind it.
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), TensorError> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| malformed("it does not begin with `\\x93NUMPY`"))?;
        let truncated = || malformed("it ends inside the header");
        let (version, rest) = rest.split_at_checked(2).ok_or_else(truncated)?;
        let (length, rest) = match version {
            [1, 0] => {
                let (length, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
                (usize::from(u16::from_le_bytes(*length)), rest)
            }
            [2 | 3, 0] => {
                let (length, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
                (u32::from_le_bytes(*length) as usize, rest)
            }
            _ => return Err(malformed(format!("unknown version {version:?}"))),
        };
        if length > MAX_HEADER {
            return Err(malformed(format!("a header of {length} bytes")));
        }
        let (header, data) = rest.split_at_checked(length).ok_or_else(truncated)?;
        let header = std::str::from_utf8(header).map_err(|_| malformed("bad header text"))?;
        Ok((Parser { rest: header }.dictionary()?, data))
    }
}

/// Writes the header of version 1.0, padded as NumPy pads it.
pub(super) fn encode(descr: &str, shape: &[u64]) -> Vec<u8> {
    let mut dims: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    if shape.len() == 1 {
        dims.truncate(dims.len() - 1);
    } else {
        dims.truncate(dims.len().saturating_sub(2));
    }
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
    let before = MAGIC.len() + 4;
    // Room for the line feed that ends the header.
    let whole = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.extend(std::iter::repeat_n(' ', whole - before - text.len() - 1));
    text.push('\n');
    let length = u16::try_from(text.len()).expect("64 dimensions of 20 digits are below 64 KiB");
    [MAGIC, &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat()
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn dictionary(mut self) -> Result<Header, TensorError> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.eat("}") {
            let key = self.quoted()?;
            self.expect(":")?;
            match key {
                "descr" if descr.is_none() => descr = Some(self.descr()?),
                "fortran_order" if fortran.is_none() => fortran = Some(self.boolean()?),
                "shape" if shape.is_none() => shape = Some(self.tuple()?),
                _ => return Err(malformed(format!("unexpected key `{key}` in the header"))),
            }
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err(malformed("text behind the header's dictionary"));
        }
        let missing = |key: &str| malformed(format!("the header has no `{key}`"));
        Ok(Header {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }

    fn descr(&mut self) -> Result<Descr, TensorError> {
        if self.eat("[") {
            let what = "an array of records".to_owned();
            return Err(TensorError::Unsupported(what));
        }
        Descr::parse(self.quoted()?)
    }

    fn boolean(&mut self) -> Result<bool, TensorError> {
        if self.eat("True") {
            return Ok(true);
        }
        self.expect("False").map(|()| false)
    }

    fn tuple(&mut self) -> Result<Vec<u64>, TensorError> {
        let mut dims = Vec::new();
        self.expect("(")?;
        while !self.eat(")") {
            if dims.len() == MAX_DIMENSIONS {
                return Err(malformed("more than 64 dimensions"));
            }
            dims.push(self.number()?);
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(dims)
    }

    fn number(&mut self) -> Result<u64, TensorError> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        let number = digits
            .parse()
            .map_err(|_| malformed("a dimension is not a number"))?;
        self.rest = rest;
        Ok(number)
    }

    fn quoted(&mut self) -> Result<&'a str, TensorError> {
        self.rest = self.rest.trim_start();
        let quote = ['\'', '"'].into_iter().find(|c| self.rest.starts_with(*c));
        let text = quote.and_then(|quote| self.rest[1..].split_once(quote));
        let (text, rest) = text.ok_or_else(|| malformed("a name in the header has no quotes"))?;
        self.rest = rest;
        Ok(text)
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(token);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), TensorError> {
        if self.eat(token) {
            return Ok(());
        }
        Err(malformed(format!("expected `{token}` in the header")))
    }
}
