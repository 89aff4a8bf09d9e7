//! Statements over the digest of a manifest, signed (`sigstore/cosign:specs/BUNDLE_SPEC.md`).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::Sha256;
use crate::oci::Digest;
use crate::trust::cosign::SIGN_PREDICATE;
use crate::trust::{
    Bundle, BundleError, Envelope, IN_TOTO, MAX_BUNDLE_SIZE, Material, PrivateKey, STATEMENT_TYPE,
    Subject, TrustError,
};

/// A statement whose predicate goes out as it came: digits, escapes and the order of members are the
/// claimant's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claim<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: [Subject; 1],
    predicate_type: &'a str,
    predicate: &'a RawValue,
}

/// Signs the digest of a manifest, with annotations that are signed along.
pub fn sign(
    key: &PrivateKey,
    manifest: &Digest,
    annotations: BTreeMap<String, String>,
) -> Result<Bundle, TrustError> {
    let subject = Subject {
        annotations,
        ..subject(manifest)?
    };
    let nothing = serde_json::from_str("{}").expect("an empty object is JSON");
    claim(key, subject, SIGN_PREDICATE, nothing)
}

/// Signs a claim about a manifest. One that no verifier would read is refused.
pub fn attest(
    key: &PrivateKey,
    manifest: &Digest,
    predicate_type: &str,
    predicate: &RawValue,
) -> Result<Bundle, TrustError> {
    claim(key, subject(manifest)?, predicate_type, predicate)
}

fn subject(manifest: &Digest) -> Result<Subject, TrustError> {
    let sha256 = Sha256::try_from(*manifest).map_err(TrustError::Algorithm)?;
    Ok(Subject::new(sha256))
}

fn claim(
    key: &PrivateKey,
    subject: Subject,
    predicate_type: &str,
    predicate: &RawValue,
) -> Result<Bundle, TrustError> {
    let claim = Claim {
        kind: STATEMENT_TYPE,
        subject: [subject],
        predicate_type,
        predicate,
    };
    let payload = serde_json::to_vec(&claim).expect("a claim has only text for keys");
    let material = Material::PublicKey {
        hint: key.public_key().cosign_hint(),
        spki: None,
    };
    let bundle = Bundle::new(material, Envelope::sign(key, IN_TOTO, payload));
    match bundle.to_vec().len() as u64 > MAX_BUNDLE_SIZE {
        true => Err(BundleError::TooLarge.into()),
        false => Ok(bundle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Statement;

    #[test]
    fn signature_is_over_the_statement_that_cosign_writes() {
        let key = PrivateKey::generate();
        let manifest = Digest::sha256(b"{}");
        let bundle = sign(&key, &manifest, BTreeMap::new()).unwrap();
        bundle.envelope.verify(&key.public_key()).unwrap();
        let expected = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{{}}}}"#,
            manifest.hex()
        );
        assert_eq!(
            String::from_utf8(bundle.envelope.payload).unwrap(),
            expected
        );
    }

    #[test]
    fn predicate_is_signed_as_it_was_written() {
        let key = PrivateKey::generate();
        let text = r#"{ "b": 12345678901234567890123, "a": 1.10 }"#;
        let predicate: &RawValue = serde_json::from_str(text).unwrap();
        let manifest = Digest::sha256(b"{}");
        let bundle = attest(&key, &manifest, "https://example.com/p", predicate).unwrap();
        let payload = bundle.envelope.payload;
        assert!(String::from_utf8_lossy(&payload).ends_with(&format!("{text}}}")));
        let statement = Statement::parse(&payload).unwrap();
        assert_eq!(statement.predicate_type, "https://example.com/p");
    }

    #[test]
    fn annotations_are_part_of_what_is_signed() {
        let key = PrivateKey::generate();
        let annotations = BTreeMap::from([("stage".to_owned(), "release".to_owned())]);
        let bundle = sign(&key, &Digest::sha256(b"{}"), annotations.clone()).unwrap();
        let statement = Statement::parse(&bundle.envelope.payload).unwrap();
        assert_eq!(statement.subject[0].annotations, annotations);
    }
}
