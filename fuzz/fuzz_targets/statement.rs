//! Any bytes → an in-toto statement, or refused, never a panic; what is read survives being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modelctl::trust::Statement;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::parse(bytes) else {
        return;
    };
    assert!(!statement.subject.is_empty());
    let again = Statement::parse(&statement.to_vec()).expect("it was accepted before");
    assert_eq!(again, statement);
});
