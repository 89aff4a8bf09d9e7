//! Content digests: `algorithm:hex`, parsed once and a type from then on.
//!
//! Grammar: OCI image-spec `descriptor.md`, section "Digests". Only the registered algorithms
//! `sha256` and `sha512` are accepted, in lower-case hex of the exact length: a digest ends up in
//! paths and URLs, so nothing else may ever become one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use super::Sha256;

/// A digest algorithm of the OCI registry of algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, which every implementation must know.
    Sha256,
    /// SHA-512, which an implementation may know.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the value in bytes.
    fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digest of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// The value, left-aligned; unused bytes are zero.
    value: [u8; 64],
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no colon between algorithm and value.
    #[error("invalid digest {0:?}: expected `algorithm:hex`")]
    Form(String),
    /// The algorithm is not one that is registered and known here.
    #[error("invalid digest {0:?}: the algorithm is not sha256 or sha512")]
    Algorithm(String),
    /// The value has not the length of the algorithm, or is not lower-case hex.
    #[error("invalid digest {text:?}: expected {expected} lower-case hex characters")]
    Value {
        /// What was given.
        text: String,
        /// How many characters the algorithm has.
        expected: usize,
    },
}

impl Digest {
    /// Computes the SHA-256 digest of bytes that are in memory.
    pub fn sha256(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Makes a SHA-256 digest of its 32 bytes.
    pub fn from_sha256(value: [u8; 32]) -> Self {
        Self::from_value(Algorithm::Sha256, &value)
    }

    fn from_value(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut value = [0; 64];
        value[..bytes.len()].copy_from_slice(bytes);
        Self { algorithm, value }
    }

    /// Computes the digest of bytes in memory with a given algorithm.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The value's bytes: 32 for sha256, 64 for sha512.
    pub fn value(&self) -> &[u8] {
        &self.value[..self.algorithm.len()]
    }

    /// The value in lower-case hex.
    pub fn hex(&self) -> String {
        hex::encode(self.value())
    }

    /// Twelve hex characters, for people; never for looking anything up.
    pub fn short(&self) -> String {
        self.hex()[..12].to_owned()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let Some((name, value)) = text.split_once(':') else {
            return Err(DigestError::Form(excerpt(text)));
        };
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::Algorithm(excerpt(text))),
        };
        let expected = algorithm.len() * 2;
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let mut bytes = [0; 64];
        let bytes = &mut bytes[..algorithm.len()];
        if !value.bytes().all(lower_hex) || hex::decode_to_slice(value, bytes).is_err() {
            return Err(DigestError::Value {
                text: excerpt(text),
                expected,
            });
        }
        Ok(Self::from_value(algorithm, bytes))
    }
}

/// The start of a hostile text, short enough for a message.
fn excerpt(text: &str) -> String {
    text.chars().take(160).collect()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An OCI digest.",
            "type": "string",
            "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
        })
    }
}

/// Computes a digest while bytes pass by.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// Starts with no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        })
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Adds bytes to each of two, which takes less time than one after the other where the processor
    /// can do that and both are as long.
    pub(crate) fn update_pair([first, second]: [&mut Self; 2], [bytes, others]: [&[u8]; 2]) {
        match (&mut first.0, &mut second.0) {
            (State::Sha256(first), State::Sha256(second)) => {
                Sha256::update_pair([first, second], [bytes, others]);
            }
            _ => {
                first.update(bytes);
                second.update(others);
            }
        }
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(hasher) => hasher.finish(),
            State::Sha512(hasher) => Digest::from_value(Algorithm::Sha512, &hasher.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::sha256(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::sha256(b""));
    }

    #[test]
    fn sha512_round_trips() {
        let digest = Digest::of(Algorithm::Sha512, b"x");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!(digest.hex().len(), 128);
    }

    /// CVE-2024-37032 and its kin: whatever is not exactly a digest is refused (security row A01).
    #[test]
    fn hostile_digests_are_refused() {
        let hex = &EMPTY[7..];
        let hostile = [
            "sha256:../../../../tmp/pwn".to_owned(),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            "SHA256:".to_owned() + hex,
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256-{hex}"),
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
            "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
            String::new(),
            "sha256:".to_owned(),
            format!("sha256:{}\0", &hex[1..]),
            format!("sha256:{}\u{ff11}", &hex[1..]),
            format!("sha512:{hex}"),
            format!(" {EMPTY}"),
            format!("{EMPTY}\n"),
        ];
        for text in hostile {
            assert!(text.parse::<Digest>().is_err(), "{text:?} was accepted");
        }
    }
}
