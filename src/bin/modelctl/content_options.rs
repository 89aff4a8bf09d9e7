//! The options of `pack` and of `push PATH REF`: what goes into the artifact.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

/// What is packed, what is said of it, and the smoke tests that go with it.
#[derive(Args)]
pub(crate) struct ContentOptions {
    /// Name of the model
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) name: Option<String>,
    /// Version of the model
    #[arg(long, value_name = "VERSION", help_heading = "Model")]
    pub(crate) version: Option<String>,
    /// Licence as an SPDX expression; may be given several times
    #[arg(long, value_name = "SPDX", help_heading = "Model")]
    pub(crate) license: Vec<String>,
    /// Annotation of the model; may be given several times
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Model")]
    pub(crate) annotation: Vec<Pair>,
    /// Leave out what matches, in the syntax of .gitignore; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = "Files")]
    pub(crate) exclude: Vec<String>,
    /// Pack what matches though a rule leaves it out; may be given several times
    #[arg(long, value_name = "GLOB", help_heading = "Files")]
    pub(crate) include: Vec<String>,
    /// Smoke tests and how to make them.
    #[command(flatten)]
    pub(crate) tests: TestOptions,
}

/// Smoke tests and how to make them.
#[derive(Args)]
#[command(next_help_heading = "Smoke tests")]
pub(crate) struct TestOptions {
    /// Folder of smoke tests, CASE/{input,output}_N.pb; of the graph, where there are several
    #[arg(long, value_name = "[GRAPH=]DIR")]
    pub(crate) tests: Vec<TestFolder>,
    /// Record this many smoke tests by running the model on seeded inputs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) record: Option<u32>,
    /// Shape of an input, for --record
    #[arg(long, value_name = "INPUT=1,3,64,64", requires = "record")]
    pub(crate) shape: Vec<Shape>,
    /// Range of the values of an input, for --record
    #[arg(long, value_name = "INPUT=LO..HI", requires = "record")]
    pub(crate) range: Vec<Range>,
    /// Seed of the inputs, for --record
    #[arg(
        long,
        value_name = "N",
        requires = "record",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) seed: u64,
    /// Relative tolerance of the tests [default: 0.001]
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) rtol: Option<f64>,
    /// Absolute tolerance of the tests [default: 0.00001]
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) atol: Option<f64>,
    /// ONNX Runtime's shared library, for --record
    #[arg(
        long,
        value_name = "FILE",
        env = "ORT_DYLIB_PATH",
        hide_env_values = true
    )]
    pub(crate) ort_lib: Option<PathBuf>,
}

/// `KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// `[GRAPH=]DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TestFolder {
    pub(crate) graph: Option<String>,
    pub(crate) folder: PathBuf,
}

/// `INPUT=1,3,64,64`; a scalar is `INPUT=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) input: String,
    pub(crate) dimensions: Vec<u64>,
}

/// `INPUT=LO..HI`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) input: String,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = split(text, "KEY=VALUE")?;
        Ok(Self {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl FromStr for TestFolder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (graph, folder) = match text.split_once('=') {
            Some((graph, folder)) => (Some(graph.to_owned()), folder),
            None => (None, text),
        };
        if folder.is_empty() || graph.as_deref() == Some("") {
            return Err("expected [GRAPH=]DIR".to_owned());
        }
        Ok(Self {
            graph,
            folder: folder.into(),
        })
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (input, list) = split(text, "INPUT=1,3,64,64")?;
        let parsed = |part: &str| part.trim().parse().map_err(|_| part.to_owned());
        let dimensions: Result<Vec<u64>, String> = match list {
            "" => Ok(Vec::new()),
            list => list.split(',').map(parsed).collect(),
        };
        Ok(Self {
            input: input.to_owned(),
            dimensions: dimensions.map_err(|part| format!("`{part}` is not a length"))?,
        })
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (input, range) = split(text, "INPUT=LO..HI")?;
        let bounds = range.split_once("..").ok_or("expected INPUT=LO..HI")?;
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("`{part}` is not a number")),
        };
        let (low, high) = (number(bounds.0)?, number(bounds.1)?);
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

/// Splits at the last `=`: names of inputs may hold one, shapes and ranges do not. Of a pair with
/// free text the first counts.
fn split<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    let parts = match form {
        "KEY=VALUE" => text.split_once('='),
        _ => text.rsplit_once('='),
    };
    parts
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("expected {form}"))
}

/// Parses a tolerance: a finite number that is not negative.
pub(crate) fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number that is not negative".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_and_ranges_are_parsed() {
        let shape = |dimensions: &[u64]| Shape {
            input: "x:0".to_owned(),
            dimensions: dimensions.to_vec(),
        };
        assert_eq!("x:0=1,3, 64".parse(), Ok(shape(&[1, 3, 64])));
        assert_eq!("x:0=".parse(), Ok(shape(&[])));
        assert_eq!(
            "x=1,-1".parse::<Shape>(),
            Err("`-1` is not a length".to_owned())
        );
        assert_eq!(
            "1,2".parse::<Shape>(),
            Err("expected INPUT=1,3,64,64".to_owned())
        );
        let range = "a=b=-1.5..2".parse::<Range>().unwrap();
        assert_eq!(
            (range.input.as_str(), range.low, range.high),
            ("a=b", -1.5, 2.0)
        );
        assert!("x=2..1".parse::<Range>().is_err());
        assert!("x=0..inf".parse::<Range>().is_err());
    }

    #[test]
    fn annotation_values_may_hold_an_equals_sign() {
        let pair: Pair = "k=a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("k", "a=b"));
        assert!("=v".parse::<Pair>().is_err());
        assert!("k".parse::<Pair>().is_err());
    }
}
