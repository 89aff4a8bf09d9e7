//! Tensors ↔ values of ONNX Runtime.

use std::fmt::Debug;

use half::{bf16, f16};
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor as OrtTensor, TensorElementType};

use crate::onnx::DataType;
use crate::run::tensor::{Data, Tensor, words};

/// The value of a tensor; fails on element types that ONNX Runtime's API does not take here.
pub(super) fn to_value(tensor: &Tensor) -> ort::Result<DynValue> {
    match tensor.dtype().name() {
        "string" => strings(tensor),
        "bool" => numbers(tensor, |[byte]| byte != 0),
        "float" => numbers(tensor, f32::from_le_bytes),
        "double" => numbers(tensor, f64::from_le_bytes),
        "float16" => numbers(tensor, f16::from_le_bytes),
        "bfloat16" => numbers(tensor, bf16::from_le_bytes),
        "int8" => numbers(tensor, i8::from_le_bytes),
        "int16" => numbers(tensor, i16::from_le_bytes),
        "int32" => numbers(tensor, i32::from_le_bytes),
        "int64" => numbers(tensor, i64::from_le_bytes),
        "uint8" => numbers(tensor, u8::from_le_bytes),
        "uint16" => numbers(tensor, u16::from_le_bytes),
        "uint32" => numbers(tensor, u32::from_le_bytes),
        "uint64" => numbers(tensor, u64::from_le_bytes),
        name => Err(unsupported(name)),
    }
}

/// The tensor of a value.
pub(super) fn from_value(value: &DynValue) -> ort::Result<Tensor> {
    let Some(element) = value.dtype().tensor_type() else {
        return Err(ort::Error::new(format!("got a {}", value.dtype())));
    };
    match element {
        TensorElementType::String => {
            let (shape, strings) = value.try_extract_strings()?;
            Tensor::from_strings(dims(shape), strings).map_err(ort::Error::wrap)
        }
        TensorElementType::Bool => bytes(value, "bool", |flag: bool| [u8::from(flag)]),
        TensorElementType::Float32 => bytes(value, "float", f32::to_le_bytes),
        TensorElementType::Float64 => bytes(value, "double", f64::to_le_bytes),
        TensorElementType::Float16 => bytes(value, "float16", f16::to_le_bytes),
        TensorElementType::Bfloat16 => bytes(value, "bfloat16", bf16::to_le_bytes),
        TensorElementType::Int8 => bytes(value, "int8", i8::to_le_bytes),
        TensorElementType::Int16 => bytes(value, "int16", i16::to_le_bytes),
        TensorElementType::Int32 => bytes(value, "int32", i32::to_le_bytes),
        TensorElementType::Int64 => bytes(value, "int64", i64::to_le_bytes),
        TensorElementType::Uint8 => bytes(value, "uint8", u8::to_le_bytes),
        TensorElementType::Uint16 => bytes(value, "uint16", u16::to_le_bytes),
        TensorElementType::Uint32 => bytes(value, "uint32", u32::to_le_bytes),
        TensorElementType::Uint64 => bytes(value, "uint64", u64::to_le_bytes),
        other => Err(unsupported(&other.to_string())),
    }
}

fn numbers<T, const N: usize>(tensor: &Tensor, read: fn([u8; N]) -> T) -> ort::Result<DynValue>
where
    T: PrimitiveTensorElementType + Debug + Clone + 'static,
{
    let elements: Vec<T> = words(tensor.bytes().unwrap_or_default())
        .map(read)
        .collect();
    Ok(OrtTensor::from_array((shape(tensor)?, elements))?.into_dyn())
}

fn strings(tensor: &Tensor) -> ort::Result<DynValue> {
    let Data::Strings(strings) = tensor.data() else {
        return Err(unsupported("string"));
    };
    Ok(OrtTensor::from_string_array((shape(tensor)?, strings.as_slice()))?.into_dyn())
}

fn bytes<T, const N: usize>(
    value: &DynValue,
    dtype: &str,
    write: fn(T) -> [u8; N],
) -> ort::Result<Tensor>
where
    T: PrimitiveTensorElementType + Copy,
{
    let (shape, elements) = value.try_extract_tensor::<T>()?;
    let bytes = elements
        .iter()
        .flat_map(|element| write(*element))
        .collect();
    let dtype = DataType::from_name(dtype).ok_or_else(|| unsupported(dtype))?;
    Tensor::new(dtype, dims(shape), bytes).map_err(ort::Error::wrap)
}

fn shape(tensor: &Tensor) -> ort::Result<Vec<i64>> {
    let dims = tensor.shape().iter().map(|dim| i64::try_from(*dim));
    dims.collect::<Result<_, _>>().map_err(ort::Error::wrap)
}

fn dims(shape: &[i64]) -> Vec<u64> {
    shape.iter().map(|dim| dim.unsigned_abs()).collect()
}

fn unsupported(dtype: &str) -> ort::Error {
    ort::Error::new(format!("element type `{dtype}` is not supported"))
}
