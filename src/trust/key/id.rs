//! The name of a public key.

use std::fmt;

use serde::Serialize;

use crate::model::Sha256;

/// SHA-256 of the key's DER SubjectPublicKeyInfo: how reports, policies and lock files name a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyId(pub Sha256);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}
