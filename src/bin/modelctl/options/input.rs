//! How inputs of a model are made where none are given: the options of `run` and `--record`.

use std::str::FromStr;

use clap::Args;
use modelctl::run::{InputOptions, ValueRange};
use serde::{Deserialize, Serialize};

/// Shapes, ranges and the seed of made inputs.
#[derive(Debug, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Made inputs")]
pub(crate) struct InputArgs {
    /// Shape of an input; open dimensions are tried otherwise
    #[arg(long, value_name = "INPUT=1,3,64,64")]
    pub(crate) shape: Vec<Shape>,
    /// Range of the values of an input, by default 0..1
    #[arg(long, value_name = "INPUT=LO..HI")]
    pub(crate) range: Vec<Range>,
    /// Seed of the values
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
}

impl InputArgs {
    /// Whether anything was said about inputs that are made.
    pub(crate) fn shapes_inputs(&self) -> bool {
        !self.shape.is_empty() || !self.range.is_empty()
    }
}

impl From<InputArgs> for InputOptions {
    fn from(args: InputArgs) -> Self {
        let range = |range: Range| {
            let (low, high) = (range.low, range.high);
            (range.input, ValueRange { low, high })
        };
        Self {
            seed: args.seed,
            shapes: args
                .shape
                .into_iter()
                .map(|shape| (shape.input, shape.dimensions))
                .collect(),
            ranges: args.range.into_iter().map(range).collect(),
        }
    }
}

/// `INPUT=1,3,64,64`; a scalar is `INPUT=`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    input: String,
    dimensions: Vec<u64>,
}

/// `INPUT=LO..HI`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Range {
    input: String,
    low: f64,
    high: f64,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (input, list) = split(text).ok_or("expected INPUT=1,3,64,64")?;
        let parsed = |part: &str| match part.trim().parse() {
            Ok(length) => Ok(length),
            Err(_) => Err(format!("`{part}` is not a length")),
        };
        let dimensions: Result<Vec<u64>, String> = match list {
            "" => Ok(Vec::new()),
            list => list.split(',').map(parsed).collect(),
        };
        Ok(Self {
            input: input.to_owned(),
            dimensions: dimensions?,
        })
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = split(text).and_then(|(input, range)| Some((input, range.split_once("..")?)));
        let (input, (low, high)) = parts.ok_or("expected INPUT=LO..HI")?;
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("`{part}` is not a number")),
        };
        let (low, high) = (number(low)?, number(high)?);
        if low > high {
            return Err(format!("{low} is above {high}"));
        }
        Ok(Self {
            input: input.to_owned(),
            low,
            high,
        })
    }
}

/// Splits at the last `=`: names of inputs may hold one, shapes and ranges do not.
fn split(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once('=').filter(|(input, _)| !input.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_parsed() {
        let shape = |dimensions: &[u64]| Shape {
            input: "x:0".to_owned(),
            dimensions: dimensions.to_vec(),
        };
        assert_eq!("x:0=1,3, 64".parse(), Ok(shape(&[1, 3, 64])));
        assert_eq!("x:0=".parse(), Ok(shape(&[])));
        for (text, error) in [
            ("x=1,-1", "`-1` is not a length"),
            ("1,2", "expected INPUT=1,3,64,64"),
            ("=1", "expected INPUT=1,3,64,64"),
        ] {
            assert_eq!(text.parse::<Shape>(), Err(error.to_owned()));
        }
    }

    #[test]
    fn ranges_are_parsed() {
        let range = Range {
            input: "a=b".to_owned(),
            low: -1.5,
            high: 2.0,
        };
        assert_eq!("a=b=-1.5..2".parse(), Ok(range));
        for (text, error) in [
            ("x=2..1", "2 is above 1"),
            ("x=0..inf", "`inf` is not a number"),
            ("x=0", "expected INPUT=LO..HI"),
        ] {
            assert_eq!(text.parse::<Range>(), Err(error.to_owned()));
        }
    }
}
