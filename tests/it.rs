//! The one integration binary: every file of `tests/` is a module of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod architecture;
mod cli_config;
mod cli_cp;
mod cli_docs;
mod cli_entries;
mod cli_flow;
mod cli_login;
mod cli_pack;
mod cli_reference;
mod cli_registry;
mod cli_run;
mod cli_usage;
mod cli_verify;
mod conformance;
mod contract;
mod determinism;
mod hostile_auth;
mod hostile_blobs;
mod hostile_layers;
mod hostile_lists;
mod hostile_manifests;
mod hostile_paths;
mod hostile_redirects;
mod hostile_tokens;
mod hostile_uploads;
mod interop;
mod plan_artifact;
mod plan_refusals;
mod plan_source;
mod plan_split;
mod pull;
mod pull_killed;
mod registry_blobs;
mod registry_crash;
mod registry_http;
mod registry_manifests;
mod registry_store;
mod registry_uploads;
mod run_hostile;
mod run_limits;
mod run_onnxruntime;
mod schema;
mod store_archive;
mod store_gc;
mod store_layout;
mod store_programs;
mod store_repair;
mod support;
mod transfer;
mod transport_login;
mod transport_peers;
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
