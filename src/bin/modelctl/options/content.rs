//! The options of `pack` and of `push PATH REF`: what goes into the artifact.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::{InputArgs, PassphraseOptions};
use crate::worker::RuntimeOptions;

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
    /// Read and hash every file, even those that are known to be unchanged
    #[arg(long, help_heading = "Files")]
    pub(crate) no_cache: bool,
    /// Who signs it.
    #[command(flatten)]
    pub(crate) signature: SignatureOptions,
    /// Smoke tests and how to make them.
    #[command(flatten)]
    pub(crate) tests: TestOptions,
}

/// Who signs what is packed.
#[derive(Args)]
#[command(next_help_heading = "Signature")]
pub(crate) struct SignatureOptions {
    /// Sign all files with this private key, in a layer that travels with the model; `env://NAME` is
    /// the key itself in a variable
    #[arg(long, value_name = "KEY")]
    pub(crate) sign_key: Option<PathBuf>,
    /// What opens the key.
    #[command(flatten)]
    pub(crate) passphrase: PassphraseOptions,
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
    /// Relative tolerance of the tests [default: 0.001]
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) rtol: Option<f64>,
    /// Absolute tolerance of the tests [default: 0.00001]
    #[arg(long, value_name = "NUMBER", value_parser = tolerance)]
    pub(crate) atol: Option<f64>,
    /// How the inputs of recorded tests are made.
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    /// Where ONNX Runtime is, to record.
    #[command(flatten)]
    pub(crate) runtime: RuntimeOptions,
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

impl FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
        let (key, value) = pair.ok_or("expected KEY=VALUE")?;
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
    fn annotation_values_may_hold_an_equals_sign() {
        let pair: Pair = "k=a=b".parse().unwrap();
        assert_eq!((pair.key.as_str(), pair.value.as_str()), ("k", "a=b"));
        assert!("=v".parse::<Pair>().is_err());
        assert!("k".parse::<Pair>().is_err());
    }
}
