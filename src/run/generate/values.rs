//! Values for shapes: floats from 0 up to 1, integers 0 and 1, unless a range is given.

use std::collections::BTreeMap;

use half::{bf16, f16};

use crate::onnx::{DataType, ValueInfo};
use crate::run::random::Random;
use crate::run::{Tensor, TensorError};

/// How inputs are made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InputOptions {
    /// The seed: the same one gives the same inputs on every machine.
    pub seed: u64,
    /// Shapes of inputs, by name; open dimensions of others are tried.
    pub shapes: BTreeMap<String, Vec<u64>>,
    /// Ranges of the values of inputs, by name.
    pub ranges: BTreeMap<String, ValueRange>,
}

/// A range of values: floats up to, not including, `high`; integers including it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueRange {
    /// The lowest value.
    pub low: f64,
    /// The highest.
    pub high: f64,
}

const UNIT: ValueRange = ValueRange {
    low: 0.0,
    high: 1.0,
};

/// Makes the inputs of a case. Fails, as the rest of a sentence about the graph, where an input is
/// no tensor of numbers, booleans or strings, or a range does not fit.
pub(in crate::run) fn inputs(
    interface: &[ValueInfo],
    shapes: &[Vec<u64>],
    options: &InputOptions,
    case: u32,
) -> Result<Vec<(String, Tensor)>, String> {
    let known = |name: &String| interface.iter().any(|input| input.name == *name);
    if let Some(name) = options.ranges.keys().find(|name| !known(name)) {
        return Err(format!("no input `{name}` to give a range to"));
    }
    let mut inputs = Vec::new();
    for (index, (input, shape)) in interface.iter().zip(shapes).enumerate() {
        let stream = u64::from(case) << 32 | index as u64;
        let mut random = Random::new(options.seed, stream);
        let range = options.ranges.get(&input.name);
        let tensor = draw(&mut random, &input.dtype, shape, range);
        let name = input.name.clone();
        inputs.push((
            name.clone(),
            tensor.map_err(|why| format!("input `{name}` {why}"))?,
        ));
    }
    Ok(inputs)
}

fn draw(
    random: &mut Random,
    dtype: &str,
    shape: &[u64],
    range: Option<&ValueRange>,
) -> Result<Tensor, String> {
    let count: u64 = shape.iter().product();
    let whole = |fault: TensorError| format!("cannot be made: {fault}");
    if dtype == "string" {
        let words = (0..count).map(|_| word(random)).collect();
        return Tensor::from_strings(shape.to_vec(), words).map_err(whole);
    }
    let range = range.copied().unwrap_or(UNIT);
    let mut bytes = Vec::new();
    for _ in 0..count {
        let float = |random: &mut Random| range.low + random.unit() * (range.high - range.low);
        match dtype {
            "float" => bytes.extend((float(random) as f32).to_le_bytes()),
            "double" => bytes.extend(float(random).to_le_bytes()),
            "float16" => bytes.extend(f16::from_f64(float(random)).to_le_bytes()),
            "bfloat16" => bytes.extend(bf16::from_f64(float(random)).to_le_bytes()),
            "bool" => bytes.push(random.up_to(1) as u8),
            _ => {
                let (low, high, width) = integers(dtype, range)?;
                // Two's complement: the low bytes of the sum are the element.
                let value = low.wrapping_add(random.up_to(high.abs_diff(low)) as i64);
                bytes.extend_from_slice(&value.to_le_bytes()[..width]);
            }
        }
    }
    let dtype = DataType::from_name(dtype).ok_or_else(|| format!("is a {dtype}, not a tensor"))?;
    Tensor::new(dtype, shape.to_vec(), bytes).map_err(whole)
}

/// The integers of a range, and the bytes of an element.
fn integers(dtype: &str, range: ValueRange) -> Result<(i64, i64, usize), String> {
    let (lowest, highest, width) = match dtype {
        "int8" => (i8::MIN as f64, i8::MAX as f64, 1),
        "int16" => (i16::MIN as f64, i16::MAX as f64, 2),
        "int32" => (i32::MIN as f64, i32::MAX as f64, 4),
        "int64" => (i64::MIN as f64, i64::MAX as f64, 8),
        "uint8" => (0.0, u8::MAX as f64, 1),
        "uint16" => (0.0, u16::MAX as f64, 2),
        "uint32" => (0.0, u32::MAX as f64, 4),
        // As far as a signed number goes: no model needs more to show that it runs.
        "uint64" => (0.0, i64::MAX as f64, 8),
        other => return Err(format!("is {other}: no values can be made for it")),
    };
    let (low, high) = (range.low.ceil(), range.high.floor());
    if low > high || low < lowest || high > highest {
        let ValueRange { low, high } = range;
        return Err(format!("has no {dtype} in the range {low}..{high}"));
    }
    Ok((low as i64, high as i64, width))
}

/// One to eight lower-case letters.
fn word(random: &mut Random) -> String {
    let length = 1 + random.up_to(7);
    (0..length)
        .map(|_| char::from(b'a' + random.up_to(25) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 14] = [
        "float", "double", "float16", "bfloat16", "bool", "string", "int8", "int16", "int32",
        "int64", "uint8", "uint16", "uint32", "uint64",
    ];

    fn made(dtype: &str, options: &InputOptions, case: u32) -> Result<Tensor, String> {
        let input = ValueInfo {
            name: "x".to_owned(),
            dtype: dtype.to_owned(),
            shape: None,
        };
        let made = inputs(&[input], &[vec![2, 100]], options, case)?;
        Ok(made.into_iter().next().unwrap().1)
    }

    fn ranged(low: f64, high: f64) -> InputOptions {
        InputOptions {
            ranges: BTreeMap::from([("x".to_owned(), ValueRange { low, high })]),
            ..InputOptions::default()
        }
    }

    #[test]
    fn a_seed_determines_every_byte() {
        let seeded = |seed| InputOptions {
            seed,
            ..InputOptions::default()
        };
        for dtype in TYPES {
            let first = made(dtype, &seeded(1), 0).unwrap();
            assert_eq!(first, made(dtype, &seeded(1), 0).unwrap());
            assert_ne!(first, made(dtype, &seeded(2), 0).unwrap());
            assert_ne!(first, made(dtype, &seeded(1), 1).unwrap());
        }
        // The golden bytes: another machine, compiler or release must give the same.
        let floats = made("float", &seeded(0), 0).unwrap();
        assert_eq!(
            hex::encode(&floats.bytes().unwrap()[..8]),
            "dd06273fa382333f"
        );
    }

    #[test]
    fn integers_are_zero_and_one_and_floats_below_one() {
        let integers = made("int8", &InputOptions::default(), 0).unwrap();
        let bytes = integers.bytes().unwrap();
        assert!(bytes.contains(&0) && bytes.contains(&1));
        assert!(bytes.iter().all(|byte| *byte <= 1));
        let floats = made("float", &InputOptions::default(), 0).unwrap();
        assert!(
            floats
                .floats()
                .unwrap()
                .all(|value| (0.0..1.0).contains(&value))
        );
    }

    #[test]
    fn a_range_bounds_the_values() {
        let signed = made("int16", &ranged(-3.0, 3.0), 0).unwrap();
        let values = signed.bytes().unwrap().as_chunks::<2>().0;
        let values: Vec<i16> = values
            .iter()
            .map(|word| i16::from_le_bytes(*word))
            .collect();
        assert!(values.iter().all(|value| (-3..=3).contains(value)));
        assert!(values.contains(&-3) && values.contains(&3));
        let rate = made("int64", &ranged(16000.0, 16000.0), 0).unwrap();
        assert_eq!(rate.bytes().unwrap()[..8], 16000i64.to_le_bytes());
        let floats = made("double", &ranged(-1.0, 1.0), 0).unwrap();
        assert!(floats.floats().unwrap().any(|value| value < 0.0));
        assert_eq!(
            made("uint8", &ranged(0.0, 256.0), 0).unwrap_err(),
            "input `x` has no uint8 in the range 0..256"
        );
        assert_eq!(
            made("int64", &ranged(0.2, 0.8), 0).unwrap_err(),
            "input `x` has no int64 in the range 0.2..0.8"
        );
    }

    #[test]
    fn what_cannot_be_made_is_named() {
        let none = InputOptions::default();
        assert_eq!(
            made("sequence", &none, 0).unwrap_err(),
            "input `x` is sequence: no values can be made for it"
        );
        let mut other = ranged(0.0, 1.0);
        other.ranges.insert("y".to_owned(), UNIT);
        assert_eq!(
            made("float", &other, 0).unwrap_err(),
            "no input `y` to give a range to"
        );
    }
}
