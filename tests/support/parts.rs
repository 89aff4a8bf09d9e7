//! Artifacts whose parts a test wants to know: documents and the blobs they list.

use modelctl::oci::{Descriptor, Document, Index, Manifest, media_type};
use modelctl::store::{Layout, Storage};

/// A blob and what it is.
pub(crate) type Part = (Descriptor, Vec<u8>);

/// An artifact: its blobs, and its manifest as the last part.
pub(crate) struct Parts(pub(crate) Vec<Part>);

/// A blob of nobody's type.
pub(crate) fn blob(bytes: &[u8]) -> Part {
    let descriptor = Descriptor::of(media_type::OCTET_STREAM, bytes);
    (descriptor, bytes.to_vec())
}

impl Parts {
    /// An artifact of some layers.
    pub(crate) fn new(layers: &[&[u8]]) -> Self {
        Self::with_subject(layers, None)
    }

    /// An artifact that refers to another one.
    pub(crate) fn with_subject(layers: &[&[u8]], subject: Option<Descriptor>) -> Self {
        let mut parts: Vec<Part> = layers.iter().map(|bytes| blob(bytes)).collect();
        let layers = parts.iter().map(|(blob, _)| blob.clone()).collect();
        let config = (Descriptor::of(media_type::EMPTY, b"{}"), b"{}".to_vec());
        let document = Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some("application/vnd.example.v1".to_owned()),
            config: config.0.clone(),
            layers,
            subject,
            annotations: Default::default(),
        });
        parts.push(config);
        parts.push((document.descriptor(), document.raw().to_vec()));
        Self(parts)
    }

    /// The manifest.
    pub(crate) fn root(&self) -> Descriptor {
        self.0.last().unwrap().0.clone()
    }

    /// The manifest, parsed.
    pub(crate) fn document(&self) -> Document {
        Document::parse(self.0.last().unwrap().1.clone(), None).unwrap()
    }

    /// Puts all parts into a layout, without a name.
    pub(crate) fn put(&self, layout: &Layout) {
        for (descriptor, bytes) in &self.0 {
            layout.put_blob(descriptor, &mut bytes.as_slice()).unwrap();
        }
    }

    /// Pushes all parts.
    pub(crate) async fn push(&self, store: &impl Storage) {
        for (descriptor, bytes) in &self.0 {
            store.push(descriptor, bytes).await.unwrap();
        }
    }
}

/// An index over some artifacts.
pub(crate) fn index(of: &[&Parts]) -> Document {
    Document::from_index(Index::new(of.iter().map(|parts| parts.root()).collect()))
}
