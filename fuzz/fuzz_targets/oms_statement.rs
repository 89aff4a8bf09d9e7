//! Any bytes as a signed payload, or as a bundle → accepted or refused, never a panic; what is accepted
//! says the same after it was written, and names nothing outside a model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::oms::{ModelStatement, Signature, Signed};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signature) = Signature::parse(bytes) {
        // Nobody has signed what the fuzzer makes: what a signer could write is read all the same.
        let _ = ModelStatement::parse(&signature.bundle().envelope.payload);
    }
    let Ok(statement) = ModelStatement::parse(bytes) else {
        return;
    };
    if let Signed::Named(resources) = &statement.files {
        for resource in resources.iter() {
            let name = resource.name.as_str();
            assert!(
                !name.starts_with('/')
                    && !name.split('/').any(|part| matches!(part, "" | "." | ".."))
            );
        }
    }
    let written = statement.to_statement().to_vec();
    let again = ModelStatement::parse(&written).expect("it was accepted before");
    assert_eq!(again, statement);
    assert_eq!(again.to_statement().to_vec(), written);
});
