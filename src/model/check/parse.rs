//! Bytes → a model manifest that keeps every rule.

use serde::Deserialize;

use super::{Rule, Violation, contents, extents, layers, numbers, paths};
use crate::model::{MAX_MODEL_MANIFEST_SIZE, ModelError, ModelManifest};
use crate::oci::{self, json};

/// The version of the format that is read and written.
const SCHEMA_VERSION: u32 = 1;
/// Features of `requires` that this reader knows: none exist yet.
const FEATURES: [&str; 0] = [];

/// What is read first: it says whether the rest can be understood.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: u32,
    #[serde(default)]
    requires: Vec<String>,
}

impl ModelManifest {
    /// Parses the model manifest of an artifact and checks every rule, also against the layers of
    /// the OCI manifest.
    pub fn parse(bytes: &[u8], manifest: &oci::Manifest) -> Result<Self, ModelError> {
        let parsed = Self::parse_alone(bytes)?;
        layers::check(&parsed, manifest)?;
        Ok(parsed)
    }

    /// Parses the model manifest of a folder, where there is no OCI manifest to check it against.
    pub fn parse_alone(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::check_size(bytes.len() as u64)?;
        let form = |error: json::JsonError| Violation::new(Rule::Form, error.to_string());
        check_head(&json::from_slice(bytes).map_err(form)?)?;
        let parsed: Self = json::from_slice(bytes).map_err(form)?;
        parsed.check()?;
        Ok(parsed)
    }

    /// Checks the length in bytes, before anything is read.
    pub(crate) fn check_size(size: u64) -> Result<(), ModelError> {
        if size <= MAX_MODEL_MANIFEST_SIZE {
            return Ok(());
        }
        let detail = format!("it has {size} bytes, the limit is {MAX_MODEL_MANIFEST_SIZE}");
        Err(Violation::new(Rule::Size, detail).into())
    }

    /// Checks every rule that the manifest can keep or break by itself.
    pub fn check(&self) -> Result<(), Violation> {
        numbers::check(self)?;
        paths::check(self)?;
        extents::check(self)?;
        contents::check(self)
    }
}

fn check_head(head: &Head) -> Result<(), Violation> {
    if head.schema_version != SCHEMA_VERSION {
        let detail = format!(
            "`schemaVersion` is {}, expected {SCHEMA_VERSION}: a newer modelctl may read it",
            head.schema_version
        );
        return Err(Violation::new(Rule::SchemaVersion, detail));
    }
    let unknown = |feature: &&String| !FEATURES.contains(&feature.as_str());
    match head.requires.iter().find(unknown) {
        Some(feature) => {
            let detail = format!("it needs the feature {feature:?}: a newer modelctl may know it");
            Err(Violation::new(Rule::Requires, detail))
        }
        None => Ok(()),
    }
}
