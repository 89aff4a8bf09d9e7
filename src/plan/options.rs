//! What the caller says about an artifact.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{DigestCache, LayerSigner};
use crate::model::FilePath;
use crate::model::source::Selection;

/// How to plan an artifact. What is not given is absent from the artifact.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    /// Which files belong to it.
    pub selection: Selection,
    /// The name of the model.
    pub name: Option<String>,
    /// The version of the model.
    pub version: Option<String>,
    /// SPDX licence expressions.
    pub licenses: Vec<String>,
    /// Annotations of the manifest and the model manifest.
    pub annotations: BTreeMap<String, String>,
    /// When it was made, in seconds since 1970 (`SOURCE_DATE_EPOCH`), never the clock; at most the
    /// year 9999.
    pub created: Option<u64>,
    /// Smoke tests.
    pub tests: Vec<TestSet>,
    /// Digests that are known already. The plan is the same without.
    pub cache: Option<DigestCache>,
    /// Who signs it; without, the artifact has no signature layer.
    pub signer: Option<LayerSigner>,
}

/// A folder of smoke tests in the layout of ONNX: `<case>/{input,output}_N.pb`.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSet {
    /// The graph that they are for; may be left out where there is only one.
    pub graph: Option<FilePath>,
    /// The folder of the cases.
    pub folder: PathBuf,
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance.
    pub atol: f64,
}

impl TestSet {
    /// Cases with the default tolerances: 1e-3 relative, 1e-5 absolute.
    pub fn new(folder: impl Into<PathBuf>, graph: Option<FilePath>) -> Self {
        Self {
            graph,
            folder: folder.into(),
            rtol: 1e-3,
            atol: 1e-5,
        }
    }
}
