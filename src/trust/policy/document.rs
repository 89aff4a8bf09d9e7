//! The file, member for member.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be deployed, by repository.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PolicyDocument {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// A file with the trusted root (JSON) that vouches for the certificates of identities, from the folder
    /// of the policy on; without it they cannot be checked.
    #[serde(default)]
    pub trusted_root: Option<String>,
    /// Rules; the first whose repositories match decides, and what none matches is refused.
    #[schemars(length(min = 1))]
    pub rule: Vec<RuleDocument>,
}

/// What is asked of the artifacts of some repositories.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RuleDocument {
    /// Patterns over `registry/repository`: `*` is anything but `/`, `**` anything. Absent: all, and
    /// folders and layouts too.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub repositories: Option<Vec<String>>,
    /// Accept artifacts that nobody has signed.
    #[serde(default)]
    pub unsigned: bool,
    /// Who must have signed.
    #[serde(default)]
    pub signatures: Option<SignaturesDocument>,
    /// Attestations that must be there.
    #[serde(default)]
    pub attestations: Vec<AttestationDocument>,
    /// How it must have been shown that the model runs.
    #[serde(default)]
    pub smoke_test: SmokeTest,
    /// What the model may be.
    #[serde(default)]
    pub model: ModelDocument,
}

/// Who must have signed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignaturesDocument {
    /// Signers of whom each counts once.
    #[schemars(length(min = 1))]
    pub signers: Vec<SignerDocument>,
    /// How many of them must have signed; one unless said otherwise.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub threshold: u32,
    /// Forms of signatures that count; `cosign` and `model-signing` unless said otherwise.
    #[serde(default = "default_forms")]
    #[schemars(length(min = 1))]
    pub forms: Vec<Form>,
    /// Paths that an OpenSSF Model Signing statement may leave out beside those of modelctl's own.
    #[serde(default)]
    pub ignored_paths: Vec<String>,
}

fn one() -> u32 {
    1
}

fn default_forms() -> Vec<Form> {
    vec![Form::Cosign, Form::ModelSigning]
}

/// A form of signature.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A sigstore bundle over the manifest, as cosign 3 writes it.
    Cosign,
    /// The tag `sha256-….sig`, as cosign wrote it before.
    CosignLegacy,
    /// An OpenSSF Model Signing statement over the model's files: the signature layer or a referrer.
    ModelSigning,
}

/// Who may sign: exactly one of `key`, `pem` and `identity` with `issuer`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SignerDocument {
    /// A file with a public key (PEM), from the folder of the policy on.
    #[serde(default)]
    pub key: Option<String>,
    /// A public key (PEM) itself.
    #[serde(default)]
    pub pem: Option<String>,
    /// Whom a certificate names (keyless): a pattern over its subject alternative name, in which `*` is
    /// anything but `/`, and `**` anything.
    #[serde(default)]
    pub identity: Option<String>,
    /// Who has vouched for the identity: the OIDC issuer, exactly.
    #[serde(default)]
    pub issuer: Option<String>,
}

/// An attestation that must be there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AttestationDocument {
    /// Its predicate type, a URI.
    #[serde(rename = "type")]
    pub predicate_type: String,
    /// How old it may be, such as `30d`; absent: any age. Its signer says when it was made.
    #[serde(default)]
    pub max_age: Option<String>,
    /// Who may have signed it; absent: the signers of the rule.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub signers: Option<Vec<SignerDocument>>,
}

/// How it must have been shown that the model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SmokeTest {
    /// The gate runs the smoke test.
    #[default]
    Run,
    /// An attestation of a passed smoke test is enough; without one the gate runs it.
    Attested,
    /// It is not asked for.
    Skip,
}

/// What a model may be; what is absent is not looked at.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelDocument {
    /// Licences (SPDX expressions), of which each that the model names must be one; and it must name one.
    #[serde(default)]
    pub licenses: Option<Vec<String>>,
    /// Formats, such as `onnx`.
    #[serde(default)]
    pub formats: Option<Vec<String>>,
    /// Patterns over `domain:Type` of operators that may be used; the standard domain is `ai.onnx`.
    #[serde(default)]
    pub operators: Option<Vec<String>>,
    /// Patterns over `domain:Type` of operators that may not be used.
    #[serde(default)]
    pub forbidden_operators: Vec<String>,
    /// Opset versions that may be imported, by domain; other domains may not be imported.
    #[serde(default)]
    pub opsets: Option<BTreeMap<String, OpsetDocument>>,
    /// The largest sum of all files, such as `2GiB`.
    #[serde(default)]
    pub max_size: Option<String>,
    /// The largest file.
    #[serde(default)]
    pub max_file_size: Option<String>,
}

/// Versions of an opset, both ends included.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpsetDocument {
    /// The lowest version.
    #[serde(default)]
    pub min: Option<i64>,
    /// The highest version.
    #[serde(default)]
    pub max: Option<i64>,
}
