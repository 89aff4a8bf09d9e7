//! OpenSSF Model Signing: what is signed, and that nothing else is accepted.

mod bundles;
mod folders;
mod layers;

use std::path::PathBuf;

use modelctl::trust::{PrivateKey, PublicKey};

/// A file of `tests/vectors`.
fn vector(path: &str) -> PathBuf {
    let root = env!("CARGO_MANIFEST_DIR");
    PathBuf::from(format!("{root}/tests/vectors/{path}"))
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(vector(path)).unwrap()
}

/// The key that signed the vectors.
fn vector_key() -> PublicKey {
    PublicKey::parse(&read("oms/key.pub")).unwrap()
}

/// A key of the tests.
fn key() -> PrivateKey {
    PrivateKey::parse(&read("keys/p256.pkcs8.pem"), None).unwrap()
}
