//! The forms of signatures, and what each proves.

use serde::Serialize;

use crate::trust::cosign::SIGN_PREDICATE;
use crate::trust::oms;

/// A form of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A bundle of cosign 3 over the manifest.
    Cosign,
    /// A legacy signature of cosign over the digest of the manifest.
    CosignLegacy,
    /// A bundle of OpenSSF Model Signing over the files.
    ModelSigning,
    /// A bundle with another claim about the manifest.
    Attestation,
    /// Nothing that was verified says which, or it is malformed.
    Unknown,
}

impl Form {
    /// Those that are signatures.
    pub const SIGNATURES: [Self; 3] = [Self::Cosign, Self::CosignLegacy, Self::ModelSigning];

    /// The form of a bundle, by the predicate of its statement: compared exactly.
    pub fn of_predicate(predicate_type: &str) -> Self {
        match predicate_type {
            SIGN_PREDICATE => Self::Cosign,
            oms::PREDICATE_TYPE => Self::ModelSigning,
            _ => Self::Attestation,
        }
    }

    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cosign => "cosign",
            Self::CosignLegacy => "cosign-legacy",
            Self::ModelSigning => "model-signing",
            Self::Attestation => "attestation",
            Self::Unknown => "unknown",
        }
    }

    /// What a valid one is over.
    pub fn over(self) -> &'static str {
        match self {
            Self::Cosign => "the manifest, and by it every layer, the config and all annotations",
            Self::CosignLegacy => {
                "the digest of the manifest, and by it every layer, the config and all annotations"
            }
            Self::ModelSigning => "the files and the model manifest",
            Self::Attestation => "a claim about the manifest",
            Self::Unknown => "nothing that is known",
        }
    }

    /// What a valid one does not prove, if something else proves when it was made.
    pub fn limits_beside_time(self) -> Option<&'static str> {
        match self {
            Self::Cosign => None,
            Self::CosignLegacy => Some("the name that it was made for"),
            Self::ModelSigning => {
                Some("the config, the annotations and the graphs without weights")
            }
            Self::Attestation => Some("that the claim is true"),
            Self::Unknown => Some("anything"),
        }
    }

    /// What a valid one does not prove.
    pub fn limits(self) -> &'static str {
        match self {
            Self::Cosign => "when it was made",
            Self::CosignLegacy => "when it was made, nor the name that it was made for",
            Self::ModelSigning => {
                "when it was made, nor the config, the annotations and the graphs without weights"
            }
            Self::Attestation => "that the claim is true, nor when it was made",
            Self::Unknown => "anything",
        }
    }
}
