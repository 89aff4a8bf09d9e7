//! Signatures of issuers whose key is on P-521, which ring does not know. OpenSSL lets such a key sign
//! over any hash, and takes SHA-256 where none is asked for.

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
use p521::ecdsa::{Signature, VerifyingKey};
use ring::digest::{self, SHA256, SHA384, SHA512};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

/// ECDSA on P-521, with each hash that webpki has for the other curves.
pub(super) static ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 3] = [
    &P521(alg_id::ECDSA_SHA256, &SHA256),
    &P521(alg_id::ECDSA_SHA384, &SHA384),
    &P521(alg_id::ECDSA_SHA512, &SHA512),
];

#[derive(Debug)]
struct P521(AlgorithmIdentifier, &'static digest::Algorithm);

impl SignatureVerificationAlgorithm for P521 {
    fn verify_signature(
        &self,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let digest = digest::digest(self.1, message);
        let key = VerifyingKey::from_sec1_bytes(key);
        let signature = Signature::from_der(signature);
        key.and_then(|key| key.verify_prehash(digest.as_ref(), &signature?))
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0
    }
}
