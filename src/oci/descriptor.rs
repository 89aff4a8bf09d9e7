//! Descriptors: media type, digest and size of a blob (image-spec `descriptor.md`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Digest;

/// What a blob is, what its digest is, and how long it is.
///
/// Unknown members are tolerated on read and lost on write, so that a document is only ever passed
/// on as the bytes it came in ([`super::Document::raw`]). `urls` and `data` are not kept: content
/// comes from the registry that was asked, and from nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The length of the content in bytes.
    pub size: u64,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The type of an artifact, where the content is a manifest of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The platform of an image, kept as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<serde_json::Value>,
}

impl Descriptor {
    /// Describes content by its digest and size, without annotations.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        }
    }

    /// Describes bytes that are in memory.
    pub fn of(media_type: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(media_type, Digest::sha256(bytes), bytes.len() as u64)
    }

    /// The file name that the layer carries: its title, else its ModelPack file path. Untrusted.
    pub fn title(&self) -> Option<&str> {
        let annotation = |key| self.annotations.get(key).map(String::as_str);
        annotation(super::annotation::TITLE).or_else(|| annotation(super::annotation::FILEPATH))
    }
}
