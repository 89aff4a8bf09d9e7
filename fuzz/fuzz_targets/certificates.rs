//! Any bytes as certificates, in PEM or one after the other in DER → trusted or refused, never a panic;
//! who is trusted is somebody whom the roots have vouched for, and no fuzzer has their keys.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use modelctl::trust::certificate::{Roots, leaf_key, parse_pem, without_roots};
use modelctl::trust::{KeyId, PublicKey};

macro_rules! vector {
    ($name:literal) => {
        include_str!(concat!("../../tests/vectors/", $name))
    };
}

/// The seeds are made of these.
const ISSUERS: &str = concat!(
    vector!("oms/cert/root.pem"),
    vector!("certificates/p521/root.pem")
);
const OTHERS: &str = concat!(
    vector!("oms/cert/leaf.pem"),
    vector!("certificates/p521/middle.pem"),
    vector!("certificates/p521/leaf.pem")
);

/// 2030-01-01, at which all of them are valid.
const NOW: Duration = Duration::from_secs(1_893_456_000);

static ROOTS: LazyLock<Roots> =
    LazyLock::new(|| Roots::parse(ISSUERS.as_bytes(), UNIX_EPOCH + NOW).expect("vectors"));
static KNOWN: LazyLock<Vec<KeyId>> = LazyLock::new(|| {
    let all = [ISSUERS, OTHERS].concat();
    let all = parse_pem(all.as_bytes()).expect("vectors");
    let key = |der: &Vec<u8>| leaf_key(der).expect("a vector").key.id();
    all.iter().map(key).collect()
});

/// Certificates that stand one after the other, each with a length of two bytes.
fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let [0x30, 0x82, high, low, ..] = *bytes {
        let length = 4 + usize::from(u16::from_be_bytes([high, low]));
        let (first, rest) = bytes.split_at(length.min(bytes.len()));
        found.push(first.to_vec());
        bytes = rest;
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let chain = parse_pem(bytes).unwrap_or_else(|_| split(bytes));
    if let Ok(signer) = ROOTS.verify(&chain) {
        assert!(KNOWN.contains(&signer.key.id()));
        assert_eq!(leaf_key(&chain[0]).expect("it is trusted"), signer);
    }
    for der in &chain {
        if let Ok(signer) = leaf_key(der) {
            let again = PublicKey::from_spki(signer.key.spki());
            assert_eq!(again.expect("it was accepted before"), signer.key);
        }
    }
    if let Ok(kept) = without_roots(chain.clone()) {
        assert_eq!(kept.first(), chain.first());
        assert!(kept.iter().all(|der| chain.contains(der)));
    }
    // Roots that an attacker has written: yes or no.
    if let Ok(roots) = Roots::parse(bytes, UNIX_EPOCH + NOW) {
        let _ = roots.verify(&chain);
    }
});
