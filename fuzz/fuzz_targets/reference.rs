//! Any text → a reference, a digest, a place or a file path, or refused, never a panic; what is
//! accepted is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::model::FilePath;
use modelctl::oci::{Digest, Place, Reference};

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<Reference>() {
        let written = reference.to_string();
        assert_eq!(written.parse::<Reference>().as_ref(), Ok(&reference));
        assert!(!written.contains(['\\', '\0', ' ']));
        // A tag may be `a..`, but no part of a name is a step up.
        assert!(written.split(['/', '@']).all(|part| !["", ".", ".."].contains(&part)));
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(path) = text.parse::<FilePath>() {
        let joined = path.under(std::path::Path::new("/root"));
        assert!(joined.starts_with("/root"));
        assert!({ joined.components() }.all(|part| part != std::path::Component::ParentDir));
    }
    let _ = text.parse::<Place>();
});
