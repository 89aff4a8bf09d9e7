//! Any header, and a second line for what it is beside → a range, an offset, a page, a pause, or
//! ignored, never a panic; a range lies in the content.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use modelctl::fuzzing;

fuzz_target!(|text: &str| {
    let (header, beside) = text.split_once('\n').unwrap_or((text, ""));
    for size in [0, 1, 10, u64::MAX, beside.trim().parse().unwrap_or(7)] {
        if let Some(range) = fuzzing::range(header, size) {
            assert!(range.start <= range.end && range.end <= size);
        }
    }
    if let Some(range) = fuzzing::chunk(header) {
        assert!(!range.is_empty());
        let written = format!("{}-{}", range.start, range.end - 1);
        assert_eq!(fuzzing::chunk(&written), Some(range));
    }
    if let Some(offset) = fuzzing::upload_offset(header) {
        assert!(offset > 1);
        assert_eq!(fuzzing::upload_offset(&format!("0-{}", offset - 1)), Some(offset));
    }
    if let Some(target) = fuzzing::next_page(header) {
        assert!(header.contains(&format!("<{target}>")));
        assert!(!target.contains(['>', '\n']));
    }
    if let Some(pause) = fuzzing::retry_after(header, beside) {
        assert!(pause < Duration::from_secs(1 << 32));
    }
});
