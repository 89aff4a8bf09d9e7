//! Public keys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier;
use p256::pkcs8::spki::SubjectPublicKeyInfoRef;
use p256::pkcs8::{AssociatedOid, DecodePublicKey, EncodePublicKey, ObjectIdentifier};

use super::{KeyError, KeyId, SignatureError, pem};
use crate::model::Sha256;
use crate::oci::{Algorithm, Digest};

/// `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// A public ECDSA key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: Key,
    spki: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Key {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Parses a PEM file with a `PUBLIC KEY`, as `cosign.pub` is.
    pub fn parse(file: &[u8]) -> Result<Self, KeyError> {
        let block = pem::decode(file, &["PUBLIC KEY"], "a `PUBLIC KEY`")?;
        Self::from_spki(&block.content)
    }

    /// Parses a DER SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::Malformed("it is no SubjectPublicKeyInfo");
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(malformed)?;
        let curve = match info.algorithm.oid == EC_PUBLIC_KEY {
            true => info.algorithm.parameters_oid().ok(),
            false => None,
        };
        let point = |_| KeyError::Malformed("it is no point of its curve");
        let key = match curve {
            Some(p256::NistP256::OID) => {
                Key::P256(p256::ecdsa::VerifyingKey::from_public_key_der(der).map_err(point)?)
            }
            Some(p384::NistP384::OID) => {
                Key::P384(p384::ecdsa::VerifyingKey::from_public_key_der(der).map_err(point)?)
            }
            Some(p521::NistP521::OID) => {
                Key::P521(p521::ecdsa::VerifyingKey::from_public_key_der(der).map_err(point)?)
            }
            Some(curve) => return Err(KeyError::Algorithm(curve.to_string())),
            None => return Err(KeyError::Algorithm(info.algorithm.oid.to_string())),
        };
        Ok(Self::new(key))
    }

    pub(super) fn new(key: Key) -> Self {
        let spki = match &key {
            Key::P256(key) => key.to_public_key_der(),
            Key::P384(key) => key.to_public_key_der(),
            Key::P521(key) => key.to_public_key_der(),
        };
        let spki = spki.expect("a key that was parsed is encoded").into_vec();
        Self { key, spki }
    }

    /// Checks an ECDSA signature in ASN.1 DER over a message, with the hash of the key's curve. `s` may
    /// be in either half of its range, as OpenSSL and Go write it.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let valid = match &self.key {
            Key::P256(key) => {
                let signature = p256::ecdsa::DerSignature::from_bytes(signature);
                let signature = signature.map_err(|_| SignatureError::Malformed)?;
                key.verify(message, &signature)
            }
            Key::P384(key) => {
                let signature = p384::ecdsa::DerSignature::from_bytes(signature);
                let signature = signature.map_err(|_| SignatureError::Malformed)?;
                key.verify(message, &signature)
            }
            Key::P521(key) => {
                let signature = p521::ecdsa::DerSignature::from_bytes(signature);
                let signature = signature.map_err(|_| SignatureError::Malformed)?;
                key.verify(message, &signature)
            }
        };
        valid.map_err(|_| SignatureError::Invalid)
    }

    /// The DER SubjectPublicKeyInfo, its point uncompressed.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The PEM file that OpenSSL and cosign write.
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.spki)
    }

    /// How reports, policies and lock files name the key.
    pub fn id(&self) -> KeyId {
        KeyId(sha256(&self.spki))
    }

    /// The `publicKey.hint` of a bundle as cosign writes it: Base64 of the SHA-256 of the DER.
    pub fn cosign_hint(&self) -> String {
        STANDARD.encode(sha256(&self.spki).0)
    }

    /// The `publicKey.hint` of a bundle as OpenSSF Model Signing writes it: hex of the SHA-256 of
    /// the PEM file.
    pub fn oms_hint(&self) -> String {
        sha256(self.to_pem().as_bytes()).hex()
    }
}

fn sha256(bytes: &[u8]) -> Sha256 {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    Sha256::try_from(digest).expect("it is SHA-256")
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}
