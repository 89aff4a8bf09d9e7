//! The one integration binary: every file of `tests/` is a module of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod architecture;
mod cli;
mod gate;
mod hostile;
mod interop;
mod keyless;
mod plan;
mod pull;
mod push;
mod registry;
mod run;
mod schema;
mod seed;
mod soak;
mod store;
mod support;
mod toml_schema;
mod transfer;
mod transport;
mod trust;
mod verify;

/// A test file that nobody lists would never run.
#[test]
fn every_test_file_is_listed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let list = std::fs::read_to_string(folder.join("it.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "it") {
            assert!(
                list.contains(&format!("mod {module};")),
                "tests/{name} is not listed in it.rs"
            );
        }
    }
}
