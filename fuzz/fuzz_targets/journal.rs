//! Any bytes → how far each blob of a pull is, or not its journal, never a panic; no blob is further
//! than its end.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::fuzzing;
use modelctl::oci::Digest;

/// What comes after the head: the input is the rest, and every other input the whole.
fn journal(input: &[u8], key: &Digest) -> Vec<u8> {
    match input.split_first() {
        Some((first, slots)) if first % 2 == 1 => [b"mctlpul1", key.value(), slots].concat(),
        _ => input.to_vec(),
    }
}

fuzz_target!(|input: &[u8]| {
    let key = Digest::sha256(b"artifact");
    let bytes = journal(input, &key);
    for sizes in [&[][..], &[10], &[0, u64::MAX], &[1, 1 << 40, 7]] {
        let Some(positions) = fuzzing::journal(&bytes, &key, sizes) else {
            continue;
        };
        assert_eq!(bytes.len(), 40 + 8 * sizes.len());
        assert_eq!(positions.len(), sizes.len());
        assert!(positions.iter().zip(sizes).all(|(position, size)| position <= size));
        let other = Digest::sha256(b"another");
        assert!(fuzzing::journal(&bytes, &other, sizes).is_none());
    }
});
