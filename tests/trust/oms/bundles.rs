//! Bundles that other programs made, and the same ones changed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use modelctl::ErrorKind;
use modelctl::trust::oms::{OmsError, Signature, Trusted, Verified};
use modelctl::trust::{Bundle, Envelope, IN_TOTO, Material, PrivateKey, PublicKey};
use serde_json::{Value, json};

use super::{key, read, vector_key};

const VECTORS: [&str; 3] = [
    "oms/model.sig",
    "oms/own-spec-order.sig",
    "oms/own-python-order.sig",
];

fn verify(bundle: &[u8], key: &PublicKey) -> Result<Verified, OmsError> {
    Signature::parse(bundle)?.verify(Trusted::Key(key))
}

/// The reference's bundle, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Result<Verified, OmsError> {
    let mut bundle: Value = serde_json::from_slice(&read("oms/model.sig")).unwrap();
    change(&mut bundle);
    verify(&serde_json::to_vec(&bundle).unwrap(), &vector_key())
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let error = changed(change).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
    error.to_string()
}

/// A bundle whose signature is right, over any payload.
fn signed(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let key = key();
    let envelope = Envelope::sign(&key, payload_type, payload.to_vec());
    let hint = key.public_key().oms_hint();
    Bundle::new(Material::PublicKey { hint, spki: None }, envelope).to_vec()
}

#[test]
fn bundles_of_the_reference_are_accepted() {
    for name in VECTORS {
        let verified = verify(&read(name), &vector_key()).unwrap();
        assert_eq!(verified.statement.files.count(), 5, "{name}");
        assert_eq!(verified.statement.name, "demo-model");
    }
}

/// What the specification lets vary (OMS v1.0, sections 4.1 and 11.1).
#[test]
fn older_and_other_forms_of_a_bundle_are_accepted() {
    type Change = fn(&mut Value);
    let changes: [Change; 7] = [
        |bundle| drop(material(bundle).remove("tlogEntries")),
        |bundle| drop(signature(bundle).remove("keyid")),
        |bundle| drop(signature(bundle).insert("keyid".to_owned(), Value::Null)),
        |bundle| drop(signature(bundle).insert("keyid".to_owned(), json!("any"))),
        // Before release 1.1 the bundle held the key itself.
        |bundle| {
            let pem = STANDARD.encode(read("oms/key.pub"));
            let key = json!({ "rawBytes": pem, "keyDetails": "PKIX_ECDSA_P256_SHA_256" });
            material(bundle).insert("publicKey".to_owned(), key);
        },
        // The manner of cosign to name the same key.
        |bundle| {
            let key = json!({ "hint": vector_key().cosign_hint() });
            material(bundle).insert("publicKey".to_owned(), key);
        },
        |bundle| {
            let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
            let payload = STANDARD.decode(payload).unwrap();
            bundle["dsseEnvelope"]["payload"] = json!(URL_SAFE_NO_PAD.encode(payload));
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        changed(change).unwrap_or_else(|error| panic!("{number}: {error}"));
    }
}

fn material(bundle: &mut Value) -> &mut serde_json::Map<String, Value> {
    bundle["verificationMaterial"].as_object_mut().unwrap()
}

fn signature(bundle: &mut Value) -> &mut serde_json::Map<String, Value> {
    let signature = &mut bundle["dsseEnvelope"]["signatures"][0];
    signature.as_object_mut().unwrap()
}

/// Security row A40: whatever cannot be read is not verified.
#[test]
fn a40_malformed_bundles_are_refused() {
    let version = refusal(|bundle| bundle["mediaType"] = json!("application/json"));
    assert!(
        version.starts_with("the signature bundle is a \"application/json\""),
        "{version}"
    );
    let none = refusal(|bundle| bundle["dsseEnvelope"]["signatures"] = json!([]));
    assert_eq!(none, "the signature bundle has 0 signatures, expected one");
    let two = refusal(|bundle| {
        let one = bundle["dsseEnvelope"]["signatures"][0].clone();
        bundle["dsseEnvelope"]["signatures"] = json!([one, one]);
    });
    assert_eq!(two, "the signature bundle has 2 signatures, expected one");
    refusal(|bundle| drop(bundle.as_object_mut().unwrap().remove("dsseEnvelope")));
    refusal(|bundle| bundle["verificationMaterial"] = json!({}));
    refusal(|bundle| bundle["another"] = json!(1));
    let whole = read("oms/model.sig");
    for length in [0, 1, whole.len() / 2, whole.len() - 2] {
        let error = verify(&whole[..length], &vector_key()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
    }
}

#[test]
fn signature_by_another_key_is_told_from_one_that_is_wrong() {
    let other = PrivateKey::generate().public_key();
    let error = verify(&read("oms/model.sig"), &other).unwrap_err();
    assert!(matches!(error, OmsError::OtherSigner { .. }), "{error}");
    let expected = format!(
        "the signature is by another key (hint \"{}\"), expected the key `{}`",
        vector_key().oms_hint(),
        other.id()
    );
    assert_eq!(error.to_string(), expected);
    let unnamed = {
        let mut bundle: Value = serde_json::from_slice(&read("oms/model.sig")).unwrap();
        bundle["verificationMaterial"]["publicKey"] = json!({ "hint": "" });
        serde_json::to_vec(&bundle).unwrap()
    };
    let error = verify(&unnamed, &other).unwrap_err();
    assert!(matches!(error, OmsError::Signature(_)), "{error}");
    let certificate = verify(&read("oms/cert/cert.sig"), &vector_key()).unwrap_err();
    let certificate = certificate.to_string();
    assert!(certificate.starts_with("the signature is by the holder of a certificate"));
}

/// Security row A41: one bit of what was signed.
#[test]
fn a41_changed_payloads_and_signatures_are_refused() {
    for place in ["payload", "sig"] {
        let changed = refusal(|bundle| {
            let envelope = &mut bundle["dsseEnvelope"];
            let text = match place {
                "sig" => &mut envelope["signatures"][0]["sig"],
                _ => &mut envelope["payload"],
            };
            let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            *text = json!(STANDARD.encode(bytes));
        });
        assert!(changed.starts_with("the signature is "), "{changed}");
    }
    let retyped = refusal(|bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain"));
    assert!(retyped.starts_with("the signature is invalid"), "{retyped}");
}

/// A signature is over a payload as a type; only statements say something of a model.
#[test]
fn a41_payload_of_another_type_is_no_statement() {
    let key = key().public_key();
    let statement = read("oms/payload.json");
    verify(&signed(IN_TOTO, &statement), &key).unwrap();
    let other = verify(&signed("application/json", &statement), &key).unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Mismatch);
    assert!(
        other
            .to_string()
            .starts_with("the signed payload is a \"application/json\""),
        "{other}"
    );
    let nothing = verify(&signed(IN_TOTO, b"{}"), &key).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Mismatch);
}
