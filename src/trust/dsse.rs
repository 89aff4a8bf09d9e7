//! Dead Simple Signing Envelope (secure-systems-lab/dsse, `protocol.md` and `envelope.md`).
//!
//! payload and its type → the pre-authentication encoding, which is what is signed. A payload is
//! parsed only from an envelope whose signature was verified.

use crate::trust::key::{PrivateKey, PublicKey, SignatureError};

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload with exactly one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The bytes that were signed.
    pub payload: Vec<u8>,
    /// What they are, a media type.
    pub payload_type: String,
    /// ECDSA over [`Envelope::pae`], ASN.1 DER.
    pub signature: Vec<u8>,
}

impl Envelope {
    /// Signs a payload. The same key gives the same signature again (RFC 6979).
    pub fn sign(key: &PrivateKey, payload_type: &str, payload: Vec<u8>) -> Self {
        let signature = key.sign(&pae(payload_type, &payload));
        Self {
            payload,
            payload_type: payload_type.to_owned(),
            signature,
        }
    }

    /// Checks that this key has signed this payload as this type.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureError> {
        key.verify(&self.pae(), &self.signature)
    }

    /// The pre-authentication encoding: what the signature is over.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let (type_length, length) = (payload_type.len(), payload.len());
    let mut encoded = format!("DSSEv1 {type_length} {payload_type} {length} ").into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pae_is_that_of_the_protocol() {
        // protocol.md, "Test Vectors".
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(encoded, expected);
    }

    #[test]
    fn another_payload_type_or_key_is_refused() {
        let key = PrivateKey::generate();
        let envelope = Envelope::sign(&key, IN_TOTO, b"{}".to_vec());
        envelope.verify(&key.public_key()).unwrap();
        assert_eq!(envelope, Envelope::sign(&key, IN_TOTO, b"{}".to_vec()));

        let other = PrivateKey::generate().public_key();
        assert_eq!(envelope.verify(&other), Err(SignatureError::Invalid));
        let mut retyped = envelope.clone();
        retyped.payload_type = "application/json".to_owned();
        let refused = retyped.verify(&key.public_key());
        assert_eq!(refused, Err(SignatureError::Invalid));
        for at in 0..envelope.signature.len() {
            let mut flipped = envelope.clone();
            flipped.signature[at] ^= 1;
            assert!(flipped.verify(&key.public_key()).is_err(), "byte {at}");
        }
    }
}
