//! Any `WWW-Authenticate` → challenges or refused, never a panic; a realm is never made up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::transport::Challenge;

fuzz_target!(|header: &str| {
    let Ok(challenges) = Challenge::parse(header) else {
        return;
    };
    assert!(header.len() <= 16 * 1024);
    for challenge in challenges {
        if let Challenge::Bearer(bearer) = challenge {
            // Unescaping only ever drops backslashes.
            assert!(bearer.realm.len() <= header.len());
            assert!(bearer.realm.chars().all(|character| header.contains(character)));
        }
    }
});
