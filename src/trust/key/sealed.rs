//! cosign's sealed keys (`sigstore/cosign:pkg/cosign/keys.go`,
//! `secure-systems-lab/go-securesystemslib:encrypted/encrypted.go`).
//!
//! PKCS#8 DER ⇄ JSON in a PEM block: a key is derived from the passphrase with scrypt, and NaCl's
//! secretbox (XSalsa20-Poly1305, the tag in front) seals the DER with it.

use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead, KeyInit};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyError, Passphrase, pem};
use crate::oci::json;
use crate::trust::base64;

/// The block's label, today's and that of cosign before 2.
pub(super) const LABELS: [&str; 2] = [LABEL, "ENCRYPTED COSIGN PRIVATE KEY"];
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";

/// Cost parameters of scrypt that are accepted, as log₂ N; r is 8 and p is 1. Any other would let a
/// file choose how much memory opening it takes.
const COSTS: [u8; 3] = [15, 16, 17];
/// What is written: 64 MiB and some tenths of a second.
const COST: u8 = 16;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Opens a block's content.
pub(super) fn open(
    content: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let malformed = |_| KeyError::Malformed("its sealed content is not what cosign writes");
    let sealed: Sealed = json::from_slice(content).map_err(malformed)?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(KeyError::Malformed(
            "it is sealed with something else than scrypt and nacl/secretbox",
        ));
    }
    let bytes = |text: &str| {
        base64::decode(text).map_err(|_| KeyError::Malformed("its sealed content is no Base64"))
    };
    let salt = bytes(&sealed.kdf.salt)?;
    let nonce = bytes(&sealed.cipher.nonce)?;
    let nonce: [u8; 24] = nonce
        .try_into()
        .map_err(|_| KeyError::Malformed("its nonce has not 24 bytes"))?;
    let key = derive(passphrase, &salt, cost(sealed.kdf.params)?);
    let plain = XSalsa20Poly1305::new((&*key).into())
        .decrypt(&nonce.into(), bytes(&sealed.ciphertext)?.as_slice())
        .map_err(|_| KeyError::Passphrase)?;
    Ok(Zeroizing::new(plain))
}

/// Seals a PKCS#8 key into a PEM file.
pub(super) fn seal(pkcs8: &[u8], passphrase: &Passphrase) -> String {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    for random in [&mut salt[..], &mut nonce[..]] {
        getrandom::fill(random).expect("the operating system gives random numbers");
    }
    let key = derive(passphrase, &salt, COST);
    let ciphertext = XSalsa20Poly1305::new((&*key).into())
        .encrypt(&nonce.into(), pkcs8)
        .expect("a key is short");
    let sealed = Sealed {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Params {
                n: 1 << COST,
                r: 8,
                p: 1,
            },
            salt: base64::encode(&salt),
        },
        cipher: Cipher {
            name: "nacl/secretbox".to_owned(),
            nonce: base64::encode(&nonce),
        },
        ciphertext: base64::encode(&ciphertext),
    };
    let content = serde_json::to_vec(&sealed).expect("it has only text for keys");
    pem::encode(LABEL, &content)
}

fn cost(params: Params) -> Result<u8, KeyError> {
    let known = |cost: &&u8| (1 << **cost, 8, 1) == (params.n, params.r, params.p);
    COSTS.iter().find(known).copied().ok_or(KeyError::Malformed(
        "its scrypt parameters are not among those that cosign writes",
    ))
}

fn derive(passphrase: &Passphrase, salt: &[u8], cost: u8) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let params = scrypt::Params::new(cost, 8, 1).expect("the parameters are constants");
    scrypt::scrypt(passphrase.expose(), salt, &params, &mut *key)
        .expect("32 bytes are a length that scrypt gives");
    key
}
