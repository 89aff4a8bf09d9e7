//! A dense tensor: dtype, shape, and the bytes that ONNX external data would hold.

use half::{bf16, f16};

use super::TensorError;
use crate::onnx::DataType;

/// The most dimensions: NumPy's limit, and more than any operator takes.
const MAX_RANK: usize = 64;

/// A tensor that owns its elements. Content and shape agree: they are checked where it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    dtype: DataType,
    shape: Vec<u64>,
    data: Data,
}

/// The elements of a tensor, row-major.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::run) enum Data {
    /// Little-endian elements, as in `raw_data`.
    Bytes(Vec<u8>),
    /// The elements of a string tensor.
    Strings(Vec<String>),
}

impl Tensor {
    /// Makes a tensor of little-endian elements; their length must be what dtype and shape say.
    pub fn new(dtype: DataType, shape: Vec<u64>, bytes: Vec<u8>) -> Result<Self, TensorError> {
        if dtype.bits().is_none() {
            let what = format!("element type `{}` ({})", dtype.name(), dtype.0);
            return Err(TensorError::Unsupported(what));
        }
        check_rank(&shape)?;
        let lengths = (dtype.byte_length(&shape), bytes.len());
        Self::of_length(lengths, dtype, shape, Data::Bytes(bytes))
    }

    /// Makes a tensor of strings, as many as the shape says.
    pub fn from_strings(shape: Vec<u64>, strings: Vec<String>) -> Result<Self, TensorError> {
        check_rank(&shape)?;
        let dtype = DataType::STRING;
        let lengths = (element_count(&shape), strings.len());
        Self::of_length(lengths, dtype, shape, Data::Strings(strings))
    }

    /// Makes a tensor whose data have the length that they should.
    fn of_length(
        (expected, actual): (Option<u64>, usize),
        dtype: DataType,
        shape: Vec<u64>,
        data: Data,
    ) -> Result<Self, TensorError> {
        let actual = actual as u64;
        if expected != Some(actual) {
            return Err(TensorError::Length {
                dtype,
                shape,
                expected,
                actual,
            });
        }
        Ok(Self { dtype, shape, data })
    }

    /// The element type.
    pub fn dtype(&self) -> DataType {
        self.dtype
    }

    /// The dimensions.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The number of elements.
    pub fn elements(&self) -> u64 {
        element_count(&self.shape).unwrap_or(u64::MAX)
    }

    /// The little-endian elements; `None` of a string tensor.
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.data {
            Data::Bytes(bytes) => Some(bytes),
            Data::Strings(_) => None,
        }
    }

    /// The elements of a string tensor.
    pub fn strings(&self) -> Option<&[String]> {
        match &self.data {
            Data::Bytes(_) => None,
            Data::Strings(strings) => Some(strings),
        }
    }

    /// The elements of a floating-point tensor, widened without loss; `None` of any other type.
    pub fn floats(&self) -> Option<Box<dyn Iterator<Item = f64> + '_>> {
        let bytes = self.bytes()?;
        Some(match self.dtype.name() {
            "float" => Box::new(words(bytes).map(|word| f64::from(f32::from_le_bytes(word)))),
            "double" => Box::new(words(bytes).map(f64::from_le_bytes)),
            "float16" => Box::new(words(bytes).map(|word| f16::from_le_bytes(word).to_f64())),
            "bfloat16" => Box::new(words(bytes).map(|word| bf16::from_le_bytes(word).to_f64())),
            _ => return None,
        })
    }

    pub(in crate::run) fn data(&self) -> &Data {
        &self.data
    }
}

fn check_rank(shape: &[u64]) -> Result<(), TensorError> {
    if shape.len() > MAX_RANK {
        let what = format!("a tensor of more than {MAX_RANK} dimensions");
        return Err(TensorError::Unsupported(what));
    }
    Ok(())
}

/// The elements of a shape; `None` beyond 2^64.
fn element_count(shape: &[u64]) -> Option<u64> {
    shape
        .iter()
        .try_fold(1u64, |product, dim| product.checked_mul(*dim))
}

/// Little-endian bytes as words of `N`; [`Tensor::new`] made sure that they are whole.
pub(in crate::run) fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_must_be_as_long_as_dtype_and_shape_say() {
        assert!(Tensor::new(DataType::FLOAT, vec![2, 1], vec![0; 8]).is_ok());
        assert!(Tensor::new(DataType::FLOAT, vec![], vec![0; 4]).is_ok());
        assert!(Tensor::new(DataType::FLOAT, vec![0, 7], vec![]).is_ok());
        let short = Tensor::new(DataType::FLOAT, vec![2, 1], vec![0; 7]).unwrap_err();
        assert_eq!(
            short.to_string(),
            "7 bytes of data for float [2, 1], which takes 8"
        );
        let wide = Tensor::new(DataType::FLOAT, vec![1 << 40, 1 << 40], vec![]).unwrap_err();
        assert_eq!(
            wide.to_string(),
            "0 bytes of data for float [1099511627776, 1099511627776], which takes more than can be held"
        );
        assert!(Tensor::from_strings(vec![2], vec!["a".to_owned()]).is_err());
        let deep = Tensor::new(DataType::FLOAT, vec![1; 65], vec![0; 4]).unwrap_err();
        assert_eq!(
            deep.to_string(),
            "a tensor of more than 64 dimensions is not supported"
        );
    }

    #[test]
    fn sixteen_bit_floats_widen_exactly() {
        let half = Tensor::new(DataType::from_name("float16").unwrap(), vec![2], {
            vec![0x00, 0x3c, 0x01, 0x00]
        });
        let values: Vec<f64> = half.unwrap().floats().unwrap().collect();
        assert_eq!(values, [1.0, 2f64.powi(-24)]);
        let brain = Tensor::new(
            DataType::from_name("bfloat16").unwrap(),
            vec![1],
            vec![0xc0, 0x3f],
        );
        assert_eq!(brain.unwrap().floats().unwrap().next(), Some(1.5));
    }
}
