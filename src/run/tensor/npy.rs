//! Tensors as `.npy` files (NumPy's format 1.0, 2.0 and 3.0).
//!
//! ```text
//! \x93NUMPY major minor  header length  {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n  data
//! ```
//!
//! Object arrays are pickles and are refused, as is everything that is not a plain number, boolean
//! or string. Files are written as `numpy.save` writes them.

mod descr;
mod header;

use self::descr::Kind;
use self::header::Header;
use super::dense::{Data, words};
use super::{Tensor, TensorError};

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads a `.npy` file; big-endian and Fortran-ordered arrays are turned round.
pub fn decode_npy(bytes: &[u8]) -> Result<Tensor, TensorError> {
    let (header, data) = Header::split(bytes)?;
    let Header {
        descr,
        fortran,
        shape,
    } = header;
    let expected = shape
        .iter()
        .try_fold(descr.size as u64, |product, dim| product.checked_mul(*dim));
    if expected != Some(data.len() as u64) {
        let takes = expected.map_or("more than can be held".to_owned(), |n| n.to_string());
        let got = data.len();
        let reason = format!("{got} bytes of data, but its shape {shape:?} takes {takes}");
        return Err(malformed(reason));
    }
    let mut data = if fortran && shape.len() > 1 {
        row_major(data, &shape, descr.size)
    } else {
        data.to_vec()
    };
    if descr.big_endian {
        let word = descr.word();
        data.chunks_exact_mut(word).for_each(<[u8]>::reverse);
    }
    match descr.kind {
        Kind::Number(dtype) => Tensor::new(dtype, shape, data),
        Kind::Bytes => strings(shape, &data, descr.size, |text| {
            String::from_utf8(text.to_vec()).ok()
        }),
        Kind::Unicode => strings(shape, &data, descr.size, |text| {
            words(text)
                .map(|code| char::from_u32(u32::from_le_bytes(code)))
                .collect()
        }),
    }
}

/// Writes a tensor as `numpy.save` does; `None` where NumPy has no such type (bfloat16, float8, …).
pub fn encode_npy(tensor: &Tensor) -> Option<Vec<u8>> {
    let (descr, data) = match tensor.data() {
        Data::Bytes(bytes) => (descr::of(tensor.dtype())?, bytes.clone()),
        Data::Strings(strings) => unicode(strings),
    };
    let mut bytes = header::encode(&descr, tensor.shape());
    bytes.extend_from_slice(&data);
    Some(bytes)
}

/// Strings as code points, each padded with zeros to the longest.
fn unicode(strings: &[String]) -> (String, Vec<u8>) {
    let count = |text: &String| text.chars().count();
    let width = strings.iter().map(count).max().unwrap_or(0).max(1);
    let mut data = Vec::with_capacity(strings.len() * width * 4);
    for string in strings {
        let padding = std::iter::repeat_n(0, width - count(string));
        for code in string.chars().map(u32::from).chain(padding) {
            data.extend_from_slice(&code.to_le_bytes());
        }
    }
    (format!("<U{width}"), data)
}

/// Elements of fixed size, zeros at their ends cut off, as strings.
fn strings(
    shape: Vec<u64>,
    data: &[u8],
    size: usize,
    decode: impl Fn(&[u8]) -> Option<String>,
) -> Result<Tensor, TensorError> {
    let texts: Option<Vec<String>> = data
        .chunks_exact(size)
        .map(|element| decode(element).map(|text| text.trim_end_matches('\0').to_owned()))
        .collect();
    let texts = texts.ok_or_else(|| malformed("a string is not Unicode"))?;
    Tensor::from_strings(shape, texts)
}

/// Elements in column-major order, put in row-major order. Their length was checked.
fn row_major(data: &[u8], shape: &[u64], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0u64; shape.len()];
    for _ in 0..data.len() / size {
        let position = index
            .iter()
            .zip(shape)
            .rev()
            .fold(0, |position, (at, dim)| position * dim + at);
        let start = position as usize * size;
        out.extend_from_slice(&data[start..start + size]);
        for (at, dim) in index.iter_mut().zip(shape).rev() {
            *at += 1;
            if *at < *dim {
                break;
            }
            *at = 0;
        }
    }
    out
}

fn malformed(reason: impl Into<String>) -> TensorError {
    TensorError::Malformed {
        format: "a .npy file",
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
