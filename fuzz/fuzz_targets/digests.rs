//! Any bytes, with a checksum that is right → a digest cache or none, never a panic; written, it is
//! the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::fuzzing;
use modelctl::oci::Digest;

const HEAD: &[u8] = b"modelctl digests 1\n";

fuzz_target!(|input: &[u8]| {
    // Accidents change the sum, too.
    let _ = fuzzing::digests(input);
    let content = match input.split_first() {
        Some((first, records)) if first % 2 == 1 => [HEAD, records].concat(),
        _ => input.to_vec(),
    };
    let sum = Digest::sha256(&content);
    let Some(written) = fuzzing::digests(&[&content[..], sum.value()].concat()) else {
        return;
    };
    // Of two records of a content one is left.
    assert!(written.starts_with(HEAD) && written.len() <= content.len() + 32);
    assert_eq!(fuzzing::digests(&written), Some(written));
});
