//! Any bytes as a key, in PEM or DER → a key or refused, never a panic; what is read survives being
//! written, and a private key signs what its public half verifies.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use modelctl::trust::{PrivateKey, PublicKey};

fn public(key: &PublicKey) {
    let pem = PublicKey::parse(key.to_pem().as_bytes());
    assert_eq!(&pem.expect("it was accepted before"), key);
}

fn private(file: &[u8]) {
    // Without a passphrase: the time that opening a sealed key takes is known, and long.
    if let Ok(key) = PrivateKey::parse(file, None) {
        let signature = key.sign(file);
        let half = key.public_key();
        half.verify(file, &signature).expect("it has signed it");
        public(&half);
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = PublicKey::parse(bytes) {
        public(&key);
    }
    if let Ok(key) = PublicKey::from_spki(bytes) {
        public(&key);
        // Whatever it says, it is yes or no.
        let _ = key.verify(b"", bytes);
    }
    private(bytes);
    for label in ["PRIVATE KEY", "EC PRIVATE KEY"] {
        let content = STANDARD.encode(bytes);
        let lines = content.as_bytes().chunks(64);
        let lines: Vec<_> = lines.map(String::from_utf8_lossy).collect();
        let lines = lines.join("\n");
        let file = format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n");
        private(file.as_bytes());
    }
});
