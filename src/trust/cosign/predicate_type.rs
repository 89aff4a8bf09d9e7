//! The names that cosign has for predicate types (`cmd/cosign/cli/options/predicate.go`).

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::oci::{json, timestamp};
use crate::trust::TrustError;

/// What cosign wraps text in of which it knows nothing.
pub const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";

const NAMES: [(&str, &str); 11] = [
    ("custom", CUSTOM),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("test-result", crate::trust::predicate::TEST_RESULT),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
];

/// The type of a predicate: a URI, or a short name that stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateType(String);

impl PredicateType {
    /// The URI.
    pub fn uri(&self) -> &str {
        &self.0
    }

    /// The predicate that a file holds: a JSON object, byte for byte, or for `custom` any text, which
    /// is wrapped with the time of the claim as cosign does it.
    pub fn predicate(&self, file: &[u8], time: SystemTime) -> Result<Box<RawValue>, TrustError> {
        if self.0 == CUSTOM {
            let text = str::from_utf8(file).map_err(|_| TrustError::PredicateText)?;
            return Ok(custom(text, &timestamp(time).unwrap_or_default()));
        }
        let predicate = json::from_slice::<Value>(file).map_err(TrustError::Predicate)?;
        match predicate.is_object() {
            true => Ok(serde_json::from_slice(file).expect("it was parsed a moment ago")),
            false => Err(TrustError::PredicateForm),
        }
    }
}

impl FromStr for PredicateType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, uri)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self((*uri).to_owned()));
        }
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let is_visible = text.chars().all(|c| c.is_ascii_graphic());
        if is_visible && scheme.is_some_and(is_scheme) {
            return Ok(Self(text.to_owned()));
        }
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        Err(format!("expected a URI or one of {}", names.join(", ")))
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What cosign makes of any text.
fn custom(text: &str, time: &str) -> Box<RawValue> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Custom<'a> {
        data: &'a str,
        timestamp: &'a str,
    }
    let predicate = Custom {
        data: text,
        timestamp: time,
    };
    serde_json::value::to_raw_value(&predicate).expect("two texts are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stand_for_uris_and_nothing_else_is_taken() {
        let uri = |text: &str| text.parse::<PredicateType>().map(|kind| kind.0);
        assert_eq!(
            uri("slsaprovenance1").unwrap(),
            "https://slsa.dev/provenance/v1"
        );
        assert_eq!(uri("custom").unwrap(), CUSTOM);
        for text in ["https://example.com/p/v1", "urn:example:p"] {
            assert_eq!(uri(text).unwrap(), text);
        }
        for text in [
            "",
            "slsa",
            "spdx json",
            ":x",
            "1a:b",
            "https://exa mple/",
            "https://é/",
        ] {
            assert!(uri(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn predicate_is_an_object_or_wrapped_text() {
        let read = |kind: &str, file: &[u8]| {
            let kind: PredicateType = kind.parse().unwrap();
            let read = kind.predicate(file, SystemTime::UNIX_EPOCH);
            read.map(|predicate| predicate.get().to_owned())
        };
        let wrapped = r#"{"Data":"not {json","Timestamp":"1970-01-01T00:00:00Z"}"#;
        assert_eq!(read("custom", b"not {json").unwrap(), wrapped);
        assert_eq!(read("spdx", b" {\"a\": 1.0} ").unwrap(), r#"{"a": 1.0}"#);
        for file in ["", "[]", "1", r#"{"a":1,"a":2}"#, "{} {}"] {
            assert!(read("spdx", file.as_bytes()).is_err(), "{file}");
        }
        assert!(read("custom", b"\xff").is_err());
    }
}
