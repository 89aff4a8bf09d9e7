//! Private keys.

use std::fmt;

use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::Generate;
use p256::pkcs8::{AssociatedOid, DecodePrivateKey, EncodePrivateKey, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::public::Key;
use super::{KeyError, Passphrase, PublicKey, pem, sealed};

/// A private ECDSA key. It has no `Display`, its `Debug` names the public half, and its memory is
/// wiped when it is dropped.
#[derive(Clone)]
pub struct PrivateKey(Secret);

#[derive(Clone)]
enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// What PKCS#8, SEC1 and cosign call their blocks.
const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";
const ENCRYPTED_PKCS8: &str = "ENCRYPTED PRIVATE KEY";

impl PrivateKey {
    /// Makes a new key on P-256, from the random numbers of the operating system.
    pub fn generate() -> Self {
        Self(Secret::P256(p256::ecdsa::SigningKey::generate()))
    }

    /// Parses a PEM file: one of cosign's, which needs its passphrase (an empty one counts), or plain
    /// PKCS#8 or SEC1.
    pub fn parse(file: &[u8], passphrase: Option<&Passphrase>) -> Result<Self, KeyError> {
        let mut labels = vec![PKCS8, SEC1, ENCRYPTED_PKCS8];
        labels.extend(sealed::LABELS);
        let block = pem::decode(file, &labels, "a private key")?;
        match block.label.as_str() {
            PKCS8 => Self::from_pkcs8(&block.content),
            SEC1 => Self::from_sec1(&block.content),
            ENCRYPTED_PKCS8 => Err(KeyError::ForeignEncryption),
            _ => {
                let passphrase = passphrase.ok_or(KeyError::Sealed)?;
                Self::from_pkcs8(&sealed::open(&block.content, passphrase)?)
            }
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::Malformed("it is no PKCS#8 key");
        let info = PrivateKeyInfoRef::try_from(der).map_err(malformed)?;
        let curve = info.algorithm.parameters_oid();
        let curve = curve.map_err(|_| KeyError::Algorithm(info.algorithm.oid.to_string()))?;
        let scalar = |_| KeyError::Malformed("it is no key of its curve");
        match curve {
            p256::NistP256::OID => p256::ecdsa::SigningKey::from_pkcs8_der(der)
                .map(Secret::P256)
                .map_err(scalar),
            p384::NistP384::OID => p384::ecdsa::SigningKey::from_pkcs8_der(der)
                .map(Secret::P384)
                .map_err(scalar),
            p521::NistP521::OID => p521::ecdsa::SigningKey::from_pkcs8_der(der)
                .map(Secret::P521)
                .map_err(scalar),
            curve => Err(KeyError::Algorithm(curve.to_string())),
        }
        .map(Self)
    }

    /// A SEC1 key names its curve or not: its length decides then.
    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            return Ok(Self(Secret::P256(key.into())));
        }
        if let Ok(key) = p384::SecretKey::from_sec1_der(der) {
            return Ok(Self(Secret::P384(key.into())));
        }
        if let Ok(key) = p521::SecretKey::from_sec1_der(der) {
            return Ok(Self(Secret::P521(key.into())));
        }
        Err(KeyError::Malformed(
            "it is no SEC1 key on P-256, P-384 or P-521",
        ))
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::new(match &self.0 {
            Secret::P256(key) => Key::P256(*key.verifying_key()),
            Secret::P384(key) => Key::P384(*key.verifying_key()),
            Secret::P521(key) => Key::P521(*key.verifying_key()),
        })
    }

    /// Signs a message: ECDSA in ASN.1 DER, over the hash of the key's curve. The nonce comes from key
    /// and message (RFC 6979), so the same input gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
        }
    }

    /// The PEM file that cosign writes: sealed with a passphrase, which may be empty.
    pub fn to_sealed_pem(&self, passphrase: &Passphrase) -> Zeroizing<String> {
        let pkcs8 = match &self.0 {
            Secret::P256(key) => key.to_pkcs8_der(),
            Secret::P384(key) => key.to_pkcs8_der(),
            Secret::P521(key) => key.to_pkcs8_der(),
        };
        let pkcs8 = pkcs8.expect("a key that was parsed is encoded");
        Zeroizing::new(sealed::seal(pkcs8.as_bytes(), passphrase))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey([secret] of {})", self.public_key().id())
    }
}
