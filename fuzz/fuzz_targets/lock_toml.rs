//! Any text → a lock or refused, never a panic; what is accepted is written, and read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::lock::Lock;

fuzz_target!(|text: &str| {
    let Ok(lock) = Lock::parse(text) else {
        return;
    };
    let written = lock.to_toml();
    let again = Lock::parse(&written).expect("what was written is read");
    assert_eq!(again.to_toml(), written);
    for (_, entry) in lock.entries() {
        assert!(lock.hold(&entry.reference, &entry.digest).is_ok() || lock.entries().count() > 1);
    }
});
