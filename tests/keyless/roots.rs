//! Trusted roots: whom they vouch for, and which are refused. Security row A44.

use modelctl::trust::keyless::{MAX_TRUSTED_ROOT, TrustedRoot};
use serde_json::{Value, json};

use super::{root, vector, verify};

#[test]
fn signatures_of_another_instance_are_refused() {
    for name in ["staging-root", "github-trusted-root", "invalid-ct-key-root"] {
        assert!(verify(&root(name), &vector("rekor1")).is_err(), "{name}");
    }
}

#[test]
fn what_is_no_trusted_root_is_refused() {
    let refused = |bytes: &[u8]| TrustedRoot::parse(bytes).unwrap_err().to_string();
    let large = vec![b' '; MAX_TRUSTED_ROOT as usize + 1];
    assert_eq!(refused(&large), "it is larger than 1024 KiB");
    assert!(refused(b"").starts_with("it is malformed"));
    let text = String::from_utf8(vector("trusted-root")).unwrap();
    let twice = text.replacen("\"tlogs\"", "\"tlogs\":[],\"tlogs\"", 1);
    assert!(refused(twice.as_bytes()).starts_with("it is malformed"));

    let mut other: Value = serde_json::from_str(&text).unwrap();
    other["mediaType"] = json!("application/json");
    assert_eq!(
        refused(other.to_string().as_bytes()),
        "it is a \"application/json\", expected a trusted root of sigstore"
    );
    let mut twice: Value = serde_json::from_str(&text).unwrap();
    let log = twice["tlogs"][0].clone();
    twice["tlogs"].as_array_mut().unwrap().push(log);
    assert!(refused(twice.to_string().as_bytes()).contains("duplicate trusted log ID"));
    let mut garbage: Value = serde_json::from_str(&text).unwrap();
    garbage["certificateAuthorities"][0]["certChain"]["certificates"][0]["rawBytes"] =
        json!("AAAA");
    assert!(refused(garbage.to_string().as_bytes()).contains("certificate"));
}

/// Without authorities and logs nobody is vouched for.
#[test]
fn an_empty_root_trusts_nobody() {
    for member in ["certificateAuthorities", "tlogs", "ctlogs"] {
        let mut empty: Value = serde_json::from_slice(&vector("trusted-root")).unwrap();
        empty[member] = json!([]);
        let root = TrustedRoot::parse(empty.to_string().as_bytes()).unwrap();
        assert!(verify(&root, &vector("rekor1")).is_err(), "{member}");
    }
}

/// CVE-2026-24137: names from trust metadata are no paths.
#[test]
fn a44_names_in_a_trusted_root_are_no_paths() {
    let mut hostile: Value = serde_json::from_slice(&vector("trusted-root")).unwrap();
    let name = json!("../../.ssh/authorized_keys");
    for member in ["tlogs", "ctlogs"] {
        for log in hostile[member].as_array_mut().unwrap() {
            log["baseUrl"] = name.clone();
        }
    }
    for authority in hostile["certificateAuthorities"].as_array_mut().unwrap() {
        authority["uri"] = name.clone();
        authority["subject"] = json!({"organization": name, "commonName": name});
    }
    let root = TrustedRoot::parse(hostile.to_string().as_bytes()).unwrap();
    let signed = verify(&root, &vector("rekor1")).unwrap();
    assert_eq!(
        signed,
        verify(&super::root("trusted-root"), &vector("rekor1")).unwrap()
    );
}
