//! The record of a smoke test: the test-result predicate of in-toto
//! (`in-toto/attestation:spec/predicates/test-result.md`) with the details of modelctl as an extension
//! member, whose name is a URI as the specification asks.
//!
//! The details decide: `result` and the lists of names follow from the cases, and a predicate in which
//! they do not is refused. The subject of the statement is the manifest that was run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::SmokeTest;
use crate::oci::{Manifest, json, media_type};
use crate::trust::TrustError;

/// The predicate type.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The result of a smoke test. Unknown members are tolerated, as in-toto asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// What came of it.
    pub result: Verdict,
    /// What was to be tested and how: the model manifest and the test cases of the artifact.
    pub configuration: Vec<Resource>,
    /// Cases all of whose stored outputs came out the same: `<graph>#<case>`.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// Cases that ran, with nothing to compare their outputs to; `<graph>` where inputs were made.
    #[serde(default)]
    pub warned_tests: Vec<String>,
    /// Cases with an output that differs.
    #[serde(default)]
    pub failed_tests: Vec<String>,
    /// The details.
    #[serde(rename = "urn:modelctl:smoke-test:v1")]
    pub smoke_test: SmokeTest,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Every case passed.
    Passed,
    /// The model ran, but of some case, or at all, nothing was compared.
    Warned,
    /// An output differs.
    Failed,
}

impl Verdict {
    /// The word that stands for it in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warned => "WARNED",
            Self::Failed => "FAILED",
        }
    }
}

/// A file of the artifact, as in-toto describes resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// Its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digests by the name of their algorithm.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

impl TestResult {
    /// The result of a smoke test of this artifact.
    pub fn new(artifact: &Manifest, smoke_test: SmokeTest) -> Self {
        let tests = [media_type::LAYER_MANIFEST, media_type::LAYER_TESTS];
        let layers = tests.iter().flat_map(|kind| artifact.layers_of(kind));
        let configuration = layers.map(|layer| Resource {
            name: layer.title().map(str::to_owned),
            digest: BTreeMap::from([(layer.digest.algorithm().to_string(), layer.digest.hex())]),
        });
        Self::of(configuration.collect(), smoke_test)
    }

    fn of(configuration: Vec<Resource>, smoke_test: SmokeTest) -> Self {
        let named = |verdict: Verdict| {
            let cases = smoke_test.cases.iter();
            let cases = cases.filter(|case| case.verdict() == verdict);
            cases.map(super::TestedCase::name).collect()
        };
        let (passed_tests, warned_tests, failed_tests): (Vec<_>, Vec<_>, Vec<_>) = (
            named(Verdict::Passed),
            named(Verdict::Warned),
            named(Verdict::Failed),
        );
        let result = match (passed_tests.len(), warned_tests.len(), failed_tests.len()) {
            (1.., 0, 0) => Verdict::Passed,
            (_, _, 0) => Verdict::Warned,
            _ => Verdict::Failed,
        };
        Self {
            result,
            configuration,
            passed_tests,
            warned_tests,
            failed_tests,
            smoke_test,
        }
    }

    /// Parses the predicate of a statement whose signature was verified, and checks that its result
    /// follows from its cases.
    pub fn parse(predicate: &[u8]) -> Result<Self, TrustError> {
        let read: Self = json::from_slice(predicate).map_err(TrustError::Predicate)?;
        let expected = Self::of(read.configuration.clone(), read.smoke_test.clone());
        match read == expected {
            true => Ok(read),
            false => Err(TrustError::TestResult {
                says: read.result,
                expected: expected.result,
            }),
        }
    }

    /// The JSON of the predicate.
    pub fn to_raw(&self) -> Box<RawValue> {
        serde_json::value::to_raw_value(self).expect("a result has only text for keys")
    }
}
