//! Image manifests and indexes together with the exact bytes they came in (image-spec
//! `manifest.md`, `image-index.md`).
//!
//! bytes → [`Document`]. A digest is always that of the bytes, never of a document written again.
//! What the bytes are is decided by their `mediaType` member; bytes that could be read as both a
//! manifest and an index are refused, whatever they say (GHSA-5j5w-g665-5m35).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Descriptor, Digest, OciError, json, media_type};

/// The largest manifest that is read: the size that registries must take (distribution-spec,
/// "Pushing Manifests") and that the well-known clients read.
pub const MAX_MANIFEST_SIZE: u64 = 4 * 1024 * 1024;

/// An image manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// The media type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The type of the artifact, if it is not an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The config blob.
    pub config: Descriptor,
    /// The layers, in order.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// The type of the artifact: `artifactType`, else the config's media type.
    pub fn artifact_type(&self) -> &str {
        self.artifact_type
            .as_deref()
            .unwrap_or(&self.config.media_type)
    }

    /// The layers of one media type, in order.
    pub fn layers_of<'a>(&'a self, media_type: &'a str) -> impl Iterator<Item = &'a Descriptor> {
        self.layers
            .iter()
            .filter(move |layer| layer.media_type == media_type)
    }

    /// Every blob that the manifest needs, children first: layers, then config.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.layers.iter().chain([&self.config])
    }
}

/// An image index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// The media type of this document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The type of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests listed.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Annotations, sorted by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// An index that lists some manifests.
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type::INDEX.to_owned()),
            artifact_type: None,
            manifests,
            subject: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// What a document under `/manifests/` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One artifact or image.
    Manifest(Manifest),
    /// A list of manifests.
    Index(Index),
}

/// A parsed manifest or index and the bytes it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    raw: Vec<u8>,
    media_type: String,
    kind: Kind,
}

/// The members that tell manifests and indexes apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<serde_json::Value>,
    media_type: Option<String>,
    config: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    fs_layers: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Parses bytes. `content_type` is what the sender called them, parameters and all; where both
    /// it and the `mediaType` member are there, they must be equal (image-spec `manifest.md`).
    pub fn parse(raw: Vec<u8>, content_type: Option<&str>) -> Result<Self, OciError> {
        if raw.len() as u64 > MAX_MANIFEST_SIZE {
            return Err(OciError::ManifestTooLarge {
                size: raw.len() as u64,
            });
        }
        let shape: Shape = json::from_slice(&raw).map_err(OciError::Manifest)?;
        if shape.schema_version != Some(2.into()) {
            return Err(OciError::SchemaVersion);
        }
        let says_manifest = shape.config.is_some() || shape.layers.is_some();
        if shape.fs_layers.is_some() || (says_manifest && shape.manifests.is_some()) {
            return Err(OciError::Confused);
        }
        let content_type = content_type.map(essence).filter(|name| is_specific(name));
        let media_type = match (shape.media_type, content_type) {
            (Some(member), Some(sent)) if member != sent => {
                return Err(OciError::MediaTypeMismatch {
                    member,
                    content_type: sent,
                });
            }
            (Some(member), _) => member,
            (None, Some(sent)) => sent,
            (None, None) if shape.manifests.is_some() => media_type::INDEX.to_owned(),
            (None, None) => media_type::MANIFEST.to_owned(),
        };
        if !media_type::is_manifest(&media_type) {
            return Err(OciError::UnknownManifest(media_type));
        }
        let kind = if media_type::is_index(&media_type) {
            Kind::Index(json::from_slice(&raw).map_err(OciError::Manifest)?)
        } else {
            Kind::Manifest(json::from_slice(&raw).map_err(OciError::Manifest)?)
        };
        Ok(Self {
            raw,
            media_type,
            kind,
        })
    }

    /// Writes a manifest: compact JSON, members in the order of the specification, annotations
    /// sorted, `<`, `>` and `&` escaped as Go's encoder does, so that tools that write a manifest
    /// again before they hash it come to the same digest.
    pub fn from_manifest(manifest: Manifest) -> Self {
        let media_type = manifest
            .media_type
            .clone()
            .unwrap_or(media_type::MANIFEST.to_owned());
        Self {
            raw: to_go_json(&manifest),
            media_type,
            kind: Kind::Manifest(manifest),
        }
    }

    /// Writes an index, in the same way.
    pub fn from_index(index: Index) -> Self {
        let media_type = index
            .media_type
            .clone()
            .unwrap_or(media_type::INDEX.to_owned());
        Self {
            raw: to_go_json(&index),
            media_type,
            kind: Kind::Index(index),
        }
    }

    /// The exact bytes.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The media type.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The SHA-256 digest of the bytes.
    pub fn digest(&self) -> Digest {
        Digest::sha256(&self.raw)
    }

    /// Describes the document, with its artifact type.
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(self.media_type.clone(), &self.raw);
        descriptor.artifact_type = match &self.kind {
            Kind::Manifest(manifest) => manifest.artifact_type.clone(),
            Kind::Index(index) => index.artifact_type.clone(),
        };
        descriptor
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The manifest, if it is one.
    pub fn manifest(&self) -> Result<&Manifest, OciError> {
        match &self.kind {
            Kind::Manifest(manifest) => Ok(manifest),
            Kind::Index(_) => Err(OciError::IsIndex),
        }
    }

    /// The manifest or index that this one refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        match &self.kind {
            Kind::Manifest(manifest) => manifest.subject.as_ref(),
            Kind::Index(index) => index.subject.as_ref(),
        }
    }
}

/// A media type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// Whether a content type says more than "some JSON" or "some bytes".
fn is_specific(name: &str) -> bool {
    !matches!(
        name,
        "" | "application/json" | "application/octet-stream" | "text/plain"
    )
}

/// Compact JSON as Go's `encoding/json` writes it.
fn to_go_json<T: Serialize>(value: &T) -> Vec<u8> {
    let text = serde_json::to_string(value).expect("the types have string keys and no floats");
    let mut raw = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                raw.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => raw.push(other),
        }
    }
    raw.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn descriptor() -> String {
        format!(r#"{{"mediaType":"a/b","digest":"sha256:{HEX}","size":0}}"#)
    }

    fn parse(text: &str, content_type: Option<&str>) -> Result<Document, OciError> {
        Document::parse(text.as_bytes().to_vec(), content_type)
    }

    #[test]
    fn manifest_keeps_its_bytes() {
        let text = format!(
            "{{\n \"schemaVersion\": 2, \"x\": 1, \"config\": {0}, \"layers\": [{0}]}}",
            descriptor()
        );
        let document = parse(
            &text,
            Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
        )
        .unwrap();
        assert_eq!(document.raw(), text.as_bytes());
        assert_eq!(document.media_type(), media_type::MANIFEST);
        assert_eq!(document.manifest().unwrap().layers.len(), 1);
    }

    /// Security row A30.
    #[test]
    fn confusable_documents_are_refused() {
        let d = descriptor();
        for (text, content_type) in [
            (
                format!(r#"{{"schemaVersion":2,"config":{d},"layers":[],"manifests":[]}}"#),
                None,
            ),
            (
                format!(r#"{{"schemaVersion":2,"config":{d},"layers":[]}}"#),
                Some(media_type::INDEX),
            ),
            (
                format!(
                    r#"{{"schemaVersion":2,"mediaType":"{}","config":{d},"layers":[]}}"#,
                    media_type::MANIFEST
                ),
                Some(media_type::INDEX),
            ),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(), None),
            (format!(r#"{{"config":{d},"layers":[]}}"#), None),
            (
                format!(r#"{{"schemaVersion":2,"config":{d},"layers":[]}}"#),
                Some("text/html"),
            ),
        ] {
            assert!(parse(&text, content_type).is_err(), "{text} was accepted");
        }
    }

    /// Security row A36.
    #[test]
    fn json_traps_are_refused() {
        let d = descriptor();
        let layer = |size: &str| {
            format!(
                r#"{{"schemaVersion":2,"config":{d},"layers":[{{"mediaType":"a/b","digest":"sha256:{HEX}","size":{size}}}]}}"#
            )
        };
        for size in ["-1", "1.5", "\"7\"", "1e3", "18446744073709551616", "null"] {
            assert!(
                parse(&layer(size), None).is_err(),
                "size {size} was accepted"
            );
        }
        for text in [
            format!(r#"{{"schemaVersion":2,"config":{d},"layers":null}}"#),
            format!(r#"{{"schemaVersion":2,"config":{d},"config":{d},"layers":[]}}"#),
            format!(r#"{{"schemaVersion":2,"config":{d},"layers":[]}} x"#),
            String::new(),
        ] {
            assert!(parse(&text, None).is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn written_manifest_reads_back_with_the_same_digest() {
        let mut config = Descriptor::of("a/b", b"{}");
        config.annotations.insert("k".to_owned(), "<&>".to_owned());
        let document = Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers: vec![],
            subject: None,
            annotations: BTreeMap::new(),
        });
        assert!(!document.raw().contains(&b'<'));
        let read = Document::parse(document.raw().to_vec(), None).unwrap();
        assert_eq!(read, document);
    }
}
