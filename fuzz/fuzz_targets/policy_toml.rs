//! Any text → a policy or refused, never a panic; a rule that is accepted asks for a signature or says
//! that it does not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::policy::{Policy, PolicyError};

const KEY: &str = include_str!("../../tests/vectors/keys/p256.pub");

fuzz_target!(|text: &str| {
    let key = |name: &str| match name {
        "release.pub" => Ok(KEY.to_owned()),
        _ => Err(PolicyError::TooLarge),
    };
    let Ok(policy) = Policy::parse(text, key) else {
        return;
    };
    for repository in [None, Some("registry.example/prod/mlp")] {
        let Some(rule) = policy.rule_for(repository) else {
            continue;
        };
        match &rule.signatures {
            Some(signatures) => {
                assert!(signatures.threshold >= 1);
                assert!(signatures.threshold <= signatures.signers.len());
                assert!(!signatures.forms.is_empty());
            }
            // TOML may write the key with quotes and escapes.
            None => assert!(text.contains("true")),
        }
        assert!(rule.attestations.iter().all(|rule| !rule.signers.is_empty()));
    }
});
