//! Any bytes → the payload of a legacy signature, or refused, never a panic; it names one manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::cosign::SimpleSigning;

fuzz_target!(|bytes: &[u8]| {
    let Ok(payload) = SimpleSigning::parse(bytes) else {
        return;
    };
    let again = SimpleSigning::parse(&payload.to_vec()).expect("it was accepted before");
    assert_eq!(again.manifest(), payload.manifest());
    let hex = payload.manifest().hex();
    let text = String::from_utf8_lossy(bytes);
    // Unless it is written with escapes.
    assert!(text.contains(&hex) || text.contains('\\'));
});
