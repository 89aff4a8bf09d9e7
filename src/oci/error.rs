//! Errors of the vocabulary.

use super::MAX_MANIFEST_SIZE;
use super::json::JsonError;
use crate::ErrorKind;

/// Why a document or a name of the OCI vocabulary was refused.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// A manifest is longer than anyone may send.
    #[error("manifest of {size} bytes is larger than the limit of {MAX_MANIFEST_SIZE} bytes")]
    ManifestTooLarge {
        /// Its length in bytes, as far as it was read.
        size: u64,
    },
    /// A manifest is not valid JSON, or a member has the wrong type.
    #[error("manifest is {0}")]
    Manifest(JsonError),
    /// `schemaVersion` is not 2.
    #[error("manifest has a `schemaVersion` other than 2")]
    SchemaVersion,
    /// The document has the members of a manifest and of an index.
    #[error("document can be read as a manifest and as an index")]
    Confused,
    /// `mediaType` and the `Content-Type` of the answer differ.
    #[error("manifest calls itself `{member}` but was sent as `{content_type}`")]
    MediaTypeMismatch {
        /// The member.
        member: String,
        /// What it was sent as.
        content_type: String,
    },
    /// The media type is none of the manifest types.
    #[error("expected a manifest, got `{0}`")]
    UnknownManifest(String),
    /// An index was needed, but the document is something else.
    #[error("expected an index, got `{0}`")]
    NotIndex(String),
    /// A manifest was needed, but the document is an index.
    #[error("document is an index, not the manifest of a model")]
    IsIndex,
    /// A digest is invalid.
    #[error(transparent)]
    Digest(#[from] super::DigestError),
    /// A reference or tag is invalid.
    #[error(transparent)]
    Reference(#[from] super::ReferenceError),
}

impl OciError {
    /// What a caller can do about it: a name is the user's, a document is the other side's.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Digest(_) | Self::Reference(_) | Self::IsIndex => ErrorKind::Usage,
            _ => ErrorKind::Mismatch,
        }
    }
}
