//! The payload of a legacy signature: simple signing (`sigstore/sigstore:pkg/signature/payload`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::oci::Digest;
use crate::oci::json::{JsonError, from_slice};

/// The one type of claim that is made and read.
const TYPE: &str = "cosign container image signature";

/// What a legacy signature is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimpleSigning {
    critical: Critical,
    #[serde(default)]
    optional: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: Digest,
}

/// Why a payload is none of a legacy signature.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It is not what the specification says.
    #[error("the signed payload is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// It is another claim.
    #[error("the signed payload is a {0:?}, expected {TYPE:?}")]
    Type(String),
}

impl SimpleSigning {
    /// The claim that a manifest is the one that was signed. The name of its repository is what
    /// cosign writes there; nothing is checked against it.
    pub fn new(repository: impl Into<String>, manifest: Digest) -> Self {
        Self {
            critical: Critical {
                identity: Identity {
                    docker_reference: repository.into(),
                },
                image: Image {
                    docker_manifest_digest: manifest,
                },
                kind: TYPE.to_owned(),
            },
            optional: Value::Null,
        }
    }

    /// The same claim with annotations that are signed along.
    pub fn with_annotations(mut self, annotations: &BTreeMap<String, String>) -> Self {
        if !annotations.is_empty() {
            self.optional = json!(annotations);
        }
        self
    }

    /// Parses a payload whose signature was verified. Unknown members are tolerated: signers add
    /// claims of their own.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        let payload: Self = from_slice(payload)?;
        match payload.critical.kind == TYPE {
            true => Ok(payload),
            false => Err(PayloadError::Type(payload.critical.kind)),
        }
    }

    /// The digest of the manifest that was signed.
    pub fn manifest(&self) -> Digest {
        self.critical.image.docker_manifest_digest
    }

    /// The payload to sign, as Go writes it.
    pub fn to_vec(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a payload has only text for keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTOR: &[u8] = include_bytes!("../../../tests/vectors/cosign/legacy-payload.json");

    #[test]
    fn payload_is_written_as_cosign_writes_it() {
        let payload = SimpleSigning::parse(VECTOR).unwrap();
        assert_eq!(payload.to_vec(), VECTOR.trim_ascii_end());
        let again = SimpleSigning::new("127.0.0.1:5055/demo/model", payload.manifest());
        assert_eq!(again, payload);
        let annotations = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let annotated = again.with_annotations(&annotations).to_vec();
        assert!(annotated.ends_with(br#""optional":{"a":"b"}}"#));
    }

    #[test]
    fn what_is_no_claim_over_a_manifest_is_refused() {
        let text = std::str::from_utf8(VECTOR).unwrap();
        let changes = [
            (
                "cosign container image signature",
                "atomic container signature",
            ),
            ("docker-manifest-digest", "docker-Manifest-digest"),
            ("\"sha256:", "\"sha257:"),
            ("\"sha256:30b9", "\"sha256:30B9"),
            ("{\"critical\"", "{\"critical\":{},\"critical\""),
            (
                "\"image\":{",
                "\"image\":{\"docker-manifest-digest\":\"v1\",",
            ),
            ("null}", "null}{}"),
        ];
        for (from, to) in changes {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(SimpleSigning::parse(changed.as_bytes()).is_err(), "{to}");
        }
        // A signature over a tag's name says nothing about what the tag leads to.
        let named = r#"{"critical":{"identity":{"docker-reference":"m:v1"},"image":{},"type":"cosign container image signature"}}"#;
        assert!(SimpleSigning::parse(named.as_bytes()).is_err());
    }
}
