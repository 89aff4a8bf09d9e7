//! in-toto Statement v1 (in-toto/attestation, `spec/v1/statement.md`): what is claimed about what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Sha256;
use crate::oci::json::{self, JsonError};

/// The `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A claim about subjects. Unknown members are tolerated, as the specification asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    /// What the claim is about; at least one.
    pub subject: Vec<Subject>,
    /// What kind of claim it is, a URI.
    pub predicate_type: String,
    /// The claim.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub predicate: Value,
}

/// What a statement is about: something with a digest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subject {
    /// A name, which proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digests by the name of their algorithm.
    pub digest: BTreeMap<String, String>,
    /// What `cosign sign -a` adds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why a payload is no statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It is not what the specification says.
    #[error("the signed statement is malformed: {0}")]
    Malformed(#[from] JsonError),
    /// It is of another type or version.
    #[error("the signed payload is a {0:?}, expected {STATEMENT_TYPE:?}")]
    Type(String),
    /// It is about nothing.
    #[error("the signed statement has no subject")]
    NoSubject,
}

impl Subject {
    /// A subject without a name.
    pub fn new(sha256: Sha256) -> Self {
        Self {
            digest: BTreeMap::from([("sha256".to_owned(), sha256.hex())]),
            ..Self::default()
        }
    }

    /// Whether it is what has this SHA-256: compared as text, so that no other spelling passes.
    pub fn is(&self, sha256: Sha256) -> bool {
        self.digest.get("sha256") == Some(&sha256.hex())
    }
}

impl Statement {
    /// A statement about one subject.
    pub fn new(subject: Subject, predicate_type: impl Into<String>, predicate: Value) -> Self {
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: vec![subject],
            predicate_type: predicate_type.into(),
            predicate,
        }
    }

    /// Parses a payload whose signature was verified.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let statement: Self = json::from_slice(payload)?;
        if statement.kind != STATEMENT_TYPE {
            return Err(StatementError::Type(statement.kind));
        }
        match statement.subject.is_empty() {
            true => Err(StatementError::NoSubject),
            false => Ok(statement),
        }
    }

    /// The payload to sign, without white space.
    pub fn to_vec(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement has only text for keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: Sha256 = Sha256([7; 32]);

    #[test]
    fn statement_is_written_as_cosign_writes_it() {
        let predicate = serde_json::json!({});
        let statement = Statement::new(Subject::new(SHA256), "https://example.com/p", predicate);
        let text = String::from_utf8(statement.to_vec()).unwrap();
        let digest = "07".repeat(32);
        assert_eq!(
            text,
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/p","predicate":{{}}}}"#
            )
        );
        assert_eq!(Statement::parse(text.as_bytes()).unwrap(), statement);
        assert!(statement.subject[0].is(SHA256));
        assert!(!statement.subject[0].is(Sha256([8; 32])));
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let refused = [
            r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"digest":{}}],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":1}}],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}]}"#,
            "",
        ];
        for text in refused {
            assert!(Statement::parse(text.as_bytes()).is_err(), "{text}");
        }
        let upper = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"AA"}}],"predicateType":"p"}"#;
        let statement = Statement::parse(upper.as_bytes()).unwrap();
        assert!(!statement.subject[0].is(Sha256([0xaa; 32])));
    }
}
