//! SHA-256 values without the name of the algorithm.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::oci::Digest;

/// A SHA-256 in bare hex, as in `sha256sum` and in model signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The value as an OCI digest.
    pub fn digest(&self) -> Digest {
        Digest::from_sha256(self.0)
    }

    /// Lower-case hex.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl TryFrom<Digest> for Sha256 {
    type Error = Digest;

    fn try_from(digest: Digest) -> Result<Self, Digest> {
        digest.value().try_into().map(Self).map_err(|_| digest)
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest: Digest = format!("sha256:{text}").parse().map_err(D::Error::custom)?;
        Self::try_from(digest).map_err(|_| D::Error::custom("expected 64 hex characters"))
    }
}

impl JsonSchema for Sha256 {
    fn schema_name() -> Cow<'static, str> {
        "Sha256".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}
