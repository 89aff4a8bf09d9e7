//! Whatever is changed in a keyless signature, it is refused. Security rows A41, A42 and A46.

use std::time::{Duration, UNIX_EPOCH};

use modelctl::trust::keyless::TrustedRoot;
use serde_json::{Value, json};

use super::{WORKFLOW, WORKFLOW_ISSUER, root, vector, verify};

#[test]
fn intact_signatures_of_both_logs_are_accepted() {
    let signed = verify(&root("trusted-root"), &vector("rekor1")).unwrap();
    assert_eq!(signed.identity, WORKFLOW);
    assert_eq!(signed.issuer, WORKFLOW_ISSUER);
    assert_eq!(
        signed.signed_at,
        UNIX_EPOCH + Duration::from_secs(1_756_728_839)
    );
    let signed = verify(&root("staging-root"), &vector("rekor2")).unwrap();
    assert_eq!(
        signed.to_string(),
        "\"jku@goto.fi\" (issuer \"https://github.com/login/oauth\") at 2026-05-26T07:42:21Z"
    );
}

/// Changes a member of a bundle by its JSON pointer.
type Change = (&'static str, &'static str, fn(&mut Value), &'static str);

/// The root of the instance that a vector is of.
fn root_of(name: &str) -> TrustedRoot {
    root(match name {
        "rekor2" => "staging-root",
        _ => "trusted-root",
    })
}

const GARBAGE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn remove(name: &'static str) -> impl Fn(&mut Value) {
    move |value| {
        let removed = value.as_object_mut().unwrap().remove(name);
        assert!(removed.is_some(), "{name}");
    }
}

const CHANGES: [Change; 17] = [
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
        |hash| *hash = json!(GARBAGE),
        "inclusion proof",
    ),
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes",
        |hashes| *hashes = json!([]),
        "inclusion proof",
    ),
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
        |promise| *promise = json!(GARBAGE),
        "inclusion promise",
    ),
    // Within the validity of the certificate.
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/integratedTime",
        |time| *time = json!("1756728849"),
        "inclusion promise",
    ),
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
        |text| *text = json!(text.as_str().unwrap().replacen('\n', "\n1", 1)),
        "checkpoint",
    ),
    (
        "rekor1",
        "/verificationMaterial/tlogEntries/0/logId/keyId",
        |id| *id = json!(GARBAGE),
        "No log key valid",
    ),
    // An expired certificate, and nothing shows that it was used before.
    (
        "rekor1",
        ENTRY,
        |entry| remove("inclusionPromise")(entry),
        "no verified timestamp",
    ),
    (
        "rekor1",
        ENTRY,
        |entry| remove("inclusionProof")(entry),
        "inclusion proof",
    ),
    (
        "rekor1",
        "/verificationMaterial/tlogEntries",
        |entries| *entries = json!([]),
        "it has no entry of a transparency log",
    ),
    // The entry of another signature over the same file (CVE-2022-36056, CVE-2026-22703).
    (
        "rekor1",
        "/verificationMaterial/tlogEntries",
        |entries| {
            let other: Value = serde_json::from_slice(&vector("rekor2")).unwrap();
            let other = other.pointer(ENTRY).unwrap();
            entries.as_array_mut().unwrap().push(other.clone());
        },
        "",
    ),
    (
        "rekor1",
        "/verificationMaterial/certificate",
        |certificate| {
            let other: Value = serde_json::from_slice(&vector("rekor2")).unwrap();
            *certificate = other["verificationMaterial"]["certificate"].clone();
        },
        "certificate",
    ),
    (
        "rekor1",
        "/dsseEnvelope/signatures/0/sig",
        |signature| *signature = json!(GARBAGE),
        "signature",
    ),
    (
        "rekor1",
        "/dsseEnvelope/payload",
        |payload| {
            let other: Value = serde_json::from_slice(&vector("no-log-entry")).unwrap();
            *payload = other["dsseEnvelope"]["payload"].clone();
        },
        "signature",
    ),
    (
        "rekor1",
        "/dsseEnvelope/payloadType",
        |kind| *kind = json!("application/json"),
        "payload type",
    ),
    (
        "rekor2",
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps",
        |timestamps| *timestamps = json!([]),
        "no verified timestamp",
    ),
    (
        "rekor2",
        "/verificationMaterial/timestampVerificationData",
        |data| {
            let other: Value = serde_json::from_slice(&vector("no-log-entry")).unwrap();
            *data = other["verificationMaterial"]["timestampVerificationData"].clone();
        },
        "timestamp",
    ),
    (
        "rekor2",
        "/verificationMaterial/tlogEntries/0/canonicalizedBody",
        |body| {
            let other: Value = serde_json::from_slice(&vector("rekor1")).unwrap();
            *body = other.pointer(ENTRY).unwrap()["canonicalizedBody"].clone();
        },
        "",
    ),
];

#[test]
fn a41_every_tampering_is_refused() {
    for (name, pointer, change, expected) in CHANGES {
        let root = root_of(name);
        let mut bundle: Value = serde_json::from_slice(&vector(name)).unwrap();
        change(bundle.pointer_mut(pointer).unwrap());
        let refused = verify(&root, &serde_json::to_vec(&bundle).unwrap());
        let refused = refused.expect_err(pointer);
        assert!(refused.contains(expected), "{pointer}: {refused}");
    }
}

/// Where the log of an instance is not asked for, it says nothing about who could have signed.
#[test]
fn a_signature_without_a_log_entry_is_refused() {
    let refused = verify(&root("github-trusted-root"), &vector("no-log-entry"));
    assert_eq!(
        refused.unwrap_err(),
        "it has no entry of a transparency log, and nothing else shows when it was made"
    );
}

/// Security row A43, CVE-2024-45395: what proves a signature is bounded, whatever is valid in it.
#[test]
fn a43_more_proof_than_anybody_needs_is_not_looked_at() {
    let mut bundle: Value = serde_json::from_slice(&vector("rekor1")).unwrap();
    let entries = bundle
        .pointer_mut("/verificationMaterial/tlogEntries")
        .unwrap();
    let entry = entries[0].clone();
    *entries = json!(vec![entry; 40]);
    let refused = verify(&root("trusted-root"), &serde_json::to_vec(&bundle).unwrap());
    assert_eq!(
        refused.unwrap_err(),
        "its certificates, log entries and timestamps are larger than 64 KiB together"
    );
}

/// No change of a single byte leaves a signature that says something else.
fn flipped_bytes_change_nothing_that_is_accepted(step: usize) {
    for name in ["rekor1", "rekor2"] {
        let root = root_of(name);
        let intact = vector(name);
        let expected = verify(&root, &intact).unwrap();
        for at in (0..intact.len()).step_by(step) {
            let mut flipped = intact.clone();
            flipped[at] ^= 1;
            if let Ok(signed) = verify(&root, &flipped) {
                assert_eq!(signed, expected, "{name}, byte {at}");
            }
        }
    }
}

#[test]
fn a_flipped_byte_never_changes_what_is_accepted() {
    flipped_bytes_change_nothing_that_is_accepted(17);
}

#[test]
#[ignore = "takes minutes"]
fn no_flipped_byte_changes_what_is_accepted() {
    flipped_bytes_change_nothing_that_is_accepted(1);
}
