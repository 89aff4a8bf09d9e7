//! Tensors as nested JSON lists, read in the dtype that the model's interface names.
//!
//! JSON has no NaN and no infinities: they are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`,
//! read and written. A single number is a tensor without dimensions.

use half::{bf16, f16};
use serde_json::{Number, Value};

use super::{Data, Tensor, TensorError};
use crate::onnx::DataType;

/// Reads nested lists; their lengths are the shape, and each element must be one of the dtype.
pub fn from_json(value: &Value, dtype: DataType) -> Result<Tensor, TensorError> {
    let mut shape = Vec::new();
    let mut first = Some(value);
    while let Some(Value::Array(list)) = first {
        shape.push(list.len() as u64);
        first = list.first();
    }
    let mut elements = Vec::new();
    flatten(value, &shape, 0, &mut elements)?;
    let wrong = |value: &Value| TensorError::Element {
        value: value.to_string().chars().take(40).collect(),
        dtype,
    };
    if dtype == DataType::STRING {
        let texts = elements.into_iter().map(|value| {
            let text = value.as_str().ok_or_else(|| wrong(value))?;
            Ok(text.to_owned())
        });
        return Tensor::from_strings(shape, texts.collect::<Result<_, _>>()?);
    }
    check(dtype)?;
    let mut bytes = Vec::new();
    for value in elements {
        push(&mut bytes, dtype, value).ok_or_else(|| wrong(value))?;
    }
    Tensor::new(dtype, shape, bytes)
}

/// Writes nested lists; numbers are the shortest that read back as the same element.
pub fn to_json(tensor: &Tensor) -> Result<Value, TensorError> {
    let dtype = tensor.dtype();
    let mut elements: Box<dyn Iterator<Item = Value>> = match tensor.data() {
        Data::Strings(strings) => Box::new(strings.iter().map(|text| Value::from(text.as_str()))),
        Data::Bytes(bytes) => {
            check(dtype)?;
            let width = dtype.bits().map_or(1, |bits| bits as usize / 8);
            Box::new(
                bytes
                    .chunks_exact(width)
                    .map(move |element| scalar(dtype, element)),
            )
        }
    };
    Ok(nested(tensor.shape(), &mut elements))
}

/// The elements of nested lists in order, their lengths compared with the shape.
fn flatten<'a>(
    value: &'a Value,
    shape: &[u64],
    depth: usize,
    elements: &mut Vec<&'a Value>,
) -> Result<(), TensorError> {
    let Some(expected) = shape.get(depth) else {
        elements.push(value);
        return Ok(());
    };
    // A scalar among lists is a list of no elements, as far as the shape goes.
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let actual = list.len() as u64;
    if actual != *expected || !value.is_array() {
        return Err(TensorError::Ragged {
            depth,
            expected: *expected,
            actual,
        });
    }
    let mut items = list.iter();
    items.try_for_each(|item| flatten(item, shape, depth + 1, elements))
}

/// Refuses element types that JSON numbers do not stand for.
fn check(dtype: DataType) -> Result<(), TensorError> {
    match dtype.name() {
        "bool" | "float" | "double" | "float16" | "bfloat16" => Ok(()),
        "int8" | "int16" | "int32" | "int64" => Ok(()),
        "uint8" | "uint16" | "uint32" | "uint64" => Ok(()),
        name => {
            let what = format!("element type `{name}` in JSON");
            Err(TensorError::Unsupported(what))
        }
    }
}

/// Appends an element in its little-endian form; `None` where it is not one of the type.
fn push(bytes: &mut Vec<u8>, dtype: DataType, value: &Value) -> Option<()> {
    match dtype.name() {
        "bool" => bytes.push(value.as_bool()?.into()),
        "float" => bytes.extend(narrowed(value, |n| n as f32, f64::from)?.to_le_bytes()),
        "double" => bytes.extend(float(value)?.to_le_bytes()),
        "float16" => bytes.extend(narrowed(value, f16::from_f64, f16::to_f64)?.to_le_bytes()),
        "bfloat16" => bytes.extend(narrowed(value, bf16::from_f64, bf16::to_f64)?.to_le_bytes()),
        "int8" => bytes.extend(i8::try_from(value.as_i64()?).ok()?.to_le_bytes()),
        "int16" => bytes.extend(i16::try_from(value.as_i64()?).ok()?.to_le_bytes()),
        "int32" => bytes.extend(i32::try_from(value.as_i64()?).ok()?.to_le_bytes()),
        "int64" => bytes.extend(value.as_i64()?.to_le_bytes()),
        "uint8" => bytes.extend(u8::try_from(value.as_u64()?).ok()?.to_le_bytes()),
        "uint16" => bytes.extend(u16::try_from(value.as_u64()?).ok()?.to_le_bytes()),
        "uint32" => bytes.extend(u32::try_from(value.as_u64()?).ok()?.to_le_bytes()),
        "uint64" => bytes.extend(value.as_u64()?.to_le_bytes()),
        _ => return None,
    }
    Some(())
}

/// A number in a narrower type, rounded; one that overflows is refused.
fn narrowed<T: Copy>(
    value: &Value,
    narrow: impl Fn(f64) -> T,
    widen: impl Fn(T) -> f64,
) -> Option<T> {
    let wide = float(value)?;
    let result = narrow(wide);
    (widen(result).is_finite() == wide.is_finite()).then_some(result)
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => value.as_f64(),
    }
}

/// An element of a type that [`check`] let pass.
fn scalar(dtype: DataType, element: &[u8]) -> Value {
    /// Sign- or zero-extends a little-endian integer.
    fn extended(element: &[u8], fill: u8) -> [u8; 8] {
        let mut word = [fill; 8];
        word[..element.len()].copy_from_slice(element);
        word
    }
    match (dtype.name(), element) {
        ("bool", [flag]) => Value::from(*flag != 0),
        ("float", &[a, b, c, d]) => {
            let single = f32::from_le_bytes([a, b, c, d]);
            // The shortest decimal of the single is a better number than its widening.
            number(f64::from(single), &single.to_string())
        }
        ("float16", &[a, b]) => {
            let wide = f16::from_le_bytes([a, b]).to_f64();
            number(wide, &wide.to_string())
        }
        ("bfloat16", &[a, b]) => {
            let wide = bf16::from_le_bytes([a, b]).to_f64();
            number(wide, &wide.to_string())
        }
        ("double", _) => {
            let wide = f64::from_le_bytes(extended(element, 0));
            number(wide, &wide.to_string())
        }
        ("int8" | "int16" | "int32" | "int64", _) => {
            let negative = element.last().is_some_and(|top| top & 0x80 != 0);
            let fill = if negative { 0xff } else { 0 };
            Value::from(i64::from_le_bytes(extended(element, fill)))
        }
        _ => Value::from(u64::from_le_bytes(extended(element, 0))),
    }
}

fn number(wide: f64, shortest: &str) -> Value {
    if wide.is_nan() {
        return Value::from("NaN");
    }
    if wide.is_infinite() {
        return Value::from(if wide > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let value = shortest.parse().ok().and_then(Number::from_f64);
    value.map_or(Value::Null, Value::Number)
}

fn nested(shape: &[u64], elements: &mut dyn Iterator<Item = Value>) -> Value {
    match shape.split_first() {
        None => elements.next().unwrap_or_default(),
        Some((dim, inner)) => (0..*dim).map(|_| nested(inner, elements)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_lists_are_the_shape() {
        let tensor = from_json(&json!([[1, 2.5, -3e2]]), DataType::FLOAT).unwrap();
        assert_eq!(tensor.shape(), [1, 3]);
        assert_eq!(to_json(&tensor).unwrap(), json!([[1.0, 2.5, -300.0]]));
        let scalar = from_json(&json!(16000), DataType::INT64).unwrap();
        assert_eq!(scalar.shape(), [0u64; 0]);
        let empty = from_json(&json!([]), DataType::FLOAT).unwrap();
        assert_eq!(empty.shape(), [0]);
        assert_eq!(
            from_json(&json!([[], []]), DataType::FLOAT)
                .unwrap()
                .shape(),
            [2, 0]
        );
    }

    #[test]
    fn every_type_survives_a_round_trip() {
        let numbers = json!([[0, 1], [2, 3]]);
        let floats = json!([[0.1, "NaN"], ["Infinity", "-Infinity"]]);
        for (name, value) in [
            ("float", &floats),
            ("double", &floats),
            ("bool", &json!([true, false])),
            ("string", &json!(["a", "é"])),
            ("int64", &json!([i64::MIN, i64::MAX, -1])),
            ("uint64", &json!([u64::MAX])),
            ("int8", &json!([-128, 127])),
            ("uint8", &numbers),
            ("int16", &numbers),
            ("uint16", &numbers),
            ("int32", &json!([-1])),
            ("uint32", &numbers),
            ("float16", &json!([0.5, "NaN"])),
            ("bfloat16", &json!([-2.0])),
        ] {
            let tensor = from_json(value, DataType::from_name(name).unwrap()).unwrap();
            assert_eq!(&to_json(&tensor).unwrap(), value, "{name}");
        }
    }

    #[test]
    fn elements_of_another_type_are_refused() {
        for (value, name, why) in [
            (json!([1, "x"]), "float", "\"x\" is not a float"),
            (json!([256]), "uint8", "256 is not a uint8"),
            (json!([1.5]), "int64", "1.5 is not a int64"),
            (json!([1e39]), "float", "1e+39 is not a float"),
            (json!([70000]), "float16", "70000 is not a float16"),
            (json!([null]), "double", "null is not a double"),
            (json!([1]), "bool", "1 is not a bool"),
            (
                json!([1]),
                "int4",
                "element type `int4` in JSON is not supported",
            ),
            (json!([1, [2]]), "float", "[2] is not a float"),
            (
                json!([[1], 2]),
                "float",
                "the lists are ragged: expected 1 elements at depth 1, got 0",
            ),
        ] {
            let error = from_json(&value, DataType::from_name(name).unwrap()).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        let ragged = from_json(&json!([[1, 2], [3]]), DataType::FLOAT).unwrap_err();
        assert_eq!(
            ragged.to_string(),
            "the lists are ragged: expected 2 elements at depth 1, got 1"
        );
    }
}
