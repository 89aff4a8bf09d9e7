//! Any bytes → an OCI manifest, an index, or refused, never a panic; the bytes are kept.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::oci::{Digest, Document, Kind, media_type};

fuzz_target!(|bytes: &[u8]| {
    for content_type in [None, Some(media_type::MANIFEST), Some(media_type::INDEX)] {
        let Ok(document) = Document::parse(bytes.to_vec(), content_type) else {
            continue;
        };
        assert_eq!(document.raw(), bytes);
        assert_eq!(document.digest(), Digest::sha256(bytes));
        // Written by us, it means the same.
        let again = match document.kind().clone() {
            Kind::Manifest(manifest) => Document::from_manifest(manifest),
            Kind::Index(index) => Document::from_index(index),
        };
        let read = Document::parse(again.raw().to_vec(), Some(document.media_type()));
        assert_eq!(read.expect("it was accepted before").kind(), document.kind());
    }
});
