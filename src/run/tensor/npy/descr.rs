//! NumPy's type strings, such as `<f4`.

use super::malformed;
use crate::onnx::DataType;
use crate::run::tensor::TensorError;

/// The longest string element, in bytes: what keeps one element from being the whole of memory.
const MAX_STRING: usize = 1024 * 1024;

/// The type of the elements of a `.npy` file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Descr {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
    /// Bytes of an element, never 0.
    pub(super) size: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number(DataType),
    /// `S`: bytes padded with zeros.
    Bytes,
    /// `U`: code points of four bytes padded with zeros.
    Unicode,
}

/// NumPy's kind and size of the element types that both sides have.
const NUMBERS: [(&str, &str); 14] = [
    ("b1", "bool"),
    ("i1", "int8"),
    ("i2", "int16"),
    ("i4", "int32"),
    ("i8", "int64"),
    ("u1", "uint8"),
    ("u2", "uint16"),
    ("u4", "uint32"),
    ("u8", "uint64"),
    ("f2", "float16"),
    ("f4", "float"),
    ("f8", "double"),
    ("c8", "complex64"),
    ("c16", "complex128"),
];

impl Descr {
    pub(super) fn parse(text: &str) -> Result<Self, TensorError> {
        let unknown = || malformed(format!("unknown type `{text}`"));
        let (order, name) = text.split_at_checked(1).ok_or_else(unknown)?;
        if name.starts_with('O') {
            let what = "an array of Python objects (a pickle)";
            return Err(TensorError::Unsupported(what.to_owned()));
        }
        if !matches!(order, "<" | ">" | "|" | "=") || !name.is_ascii() {
            return Err(unknown());
        }
        let number = NUMBERS.iter().find(|(numpy, _)| *numpy == name);
        let length = || -> Option<usize> { name.get(1..)?.parse().ok() };
        let (kind, size) = match (number, name.chars().next()) {
            (Some((_, onnx)), _) => {
                let dtype = DataType::from_name(onnx).ok_or_else(unknown)?;
                (
                    Kind::Number(dtype),
                    dtype.bits().map(|bits| bits as usize / 8),
                )
            }
            (None, Some('S')) => (Kind::Bytes, length()),
            (None, Some('U')) => (Kind::Unicode, length().and_then(|n| n.checked_mul(4))),
            _ => {
                let what = format!("NumPy type `{text}`");
                return Err(TensorError::Unsupported(what));
            }
        };
        let size = size.filter(|size| (1..=MAX_STRING).contains(size));
        Ok(Self {
            kind,
            big_endian: order == ">" && kind != Kind::Bytes,
            size: size.ok_or_else(unknown)?,
        })
    }

    /// The bytes that turn round together where the order is big-endian.
    pub(super) fn word(&self) -> usize {
        match self.kind {
            Kind::Number(DataType::COMPLEX64 | DataType::COMPLEX128) => self.size / 2,
            Kind::Number(_) => self.size,
            Kind::Bytes => 1,
            Kind::Unicode => 4,
        }
    }
}

/// The type string of an element type; `None` where NumPy has no such type.
pub(super) fn of(dtype: DataType) -> Option<String> {
    let (numpy, _) = NUMBERS.iter().find(|(_, onnx)| *onnx == dtype.name())?;
    let order = if dtype.bits() == Some(8) { '|' } else { '<' };
    Some(format!("{order}{numpy}"))
}
