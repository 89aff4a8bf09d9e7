//! Any text → users whose passwords can be checked, or refused without showing a hash, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::fuzzing;

fuzz_target!(|text: &str| {
    match fuzzing::htpasswd(text) {
        Ok(users) => {
            assert!(!users.is_empty());
            for (user, hash) in users {
                assert!(!user.is_empty() && !user.contains([':', '\n']));
                assert_eq!(hash.len(), 60);
                // What bcrypt itself takes, and not what takes minutes.
                assert!((4..=15).contains(&hash[4..6].parse::<u32>().expect("a cost")));
            }
        }
        // A name may look like anything, but what is after it is not shown.
        Err(reason) => assert!(reason.len() <= text.len() + 100),
    }
});
