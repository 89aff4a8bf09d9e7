//! Any bytes → the record of an unfinished upload, or refused, never a panic; it leads to the
//! registry alone, without a secret, and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let Some(upload) = fuzzing::upload(bytes) else {
        return;
    };
    let location = &upload.location;
    assert_eq!(location.scheme(), "http");
    assert_eq!(location.host_str(), Some("registry.example"));
    assert_eq!(location.port(), Some(5000));
    assert!(location.username().is_empty() && location.password().is_none());
    assert!(location.fragment().is_none());
    assert!(!location.query_pairs().any(|(name, _)| name.contains("token")));
    assert!(upload.offset <= 1 << 30);
    assert_eq!(fuzzing::upload(&upload.written), Some(upload));
});
