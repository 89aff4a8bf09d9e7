//! A small artifact of nobody's type, for tests that only move things.

use std::path::Path;

use modelctl::oci::{Descriptor, Digest, Document, Manifest, annotation, media_type};
use modelctl::store::Layout;

/// Writes an artifact of one layer into a layout, under a name, and gives its digest.
pub(crate) fn write(layout: &Path, name: &str, content: &[u8]) -> Digest {
    let layout = Layout::open_or_create(layout).unwrap();
    let put = |kind: &str, bytes: &[u8]| {
        let descriptor = Descriptor::of(kind, bytes);
        layout.put_blob(&descriptor, &mut &bytes[..]).unwrap();
        descriptor
    };
    let mut layer = put(media_type::OCTET_STREAM, content);
    let title = ("content.bin".to_owned(), annotation::TITLE.to_owned());
    layer.annotations.insert(title.1, title.0);
    let document = Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some("application/vnd.example.v1".to_owned()),
        config: put(media_type::EMPTY, b"{}"),
        layers: vec![layer],
        subject: None,
        annotations: Default::default(),
    });
    let descriptor = put(media_type::MANIFEST, document.raw());
    layout.tag_as(&descriptor, name).unwrap();
    descriptor.digest
}
