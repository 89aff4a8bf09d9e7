//! The file, member for member.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::oci::Digest;

/// What names stood for when they were locked. Written by `modelctl lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockDocument {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The entries by name.
    #[serde(default)]
    pub model: BTreeMap<String, EntryDocument>,
}

/// What one name stood for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EntryDocument {
    /// The reference that was resolved: `registry/repository:tag`, or with `@digest`.
    pub reference: String,
    /// The digest that it led to.
    pub digest: Digest,
    /// Who had signed it, as far as that was verified: `key <id>`, or the identity of a certificate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signers: Vec<String>,
    /// When it was locked, RFC 3339 in UTC.
    pub locked: String,
}
