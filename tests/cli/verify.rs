//! `verify`, and what is wrong in a folder, a layout and a store.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::artifact;
use crate::support::env::Env;

const STORE: &str = "home/.local/share/modelctl";

/// A pulled folder `out` with two files.
fn env_with_folder() -> Env {
    let env = Env::new();
    env.write("model/weights.bin", [7; 3000]);
    env.write("model/README.md", "# A model\n");
    env.run(&["pack", "./model", "-t", "m:v1", "-q"]).ok();
    env.run(&["pull", "store:m:v1", "-o", "out", "-q"]).ok();
    env
}

#[test]
fn every_fault_of_a_folder_is_listed() {
    let env = env_with_folder();
    fs::write(env.path("out/weights.bin"), [8; 3000]).unwrap();
    fs::remove_file(env.path("out/README.md")).unwrap();
    fs::write(env.path("out/extra.txt"), "x").unwrap();
    symlink("/etc/passwd", env.path("out/link")).unwrap();
    env.run(&["verify", "./out"]).is("\
exit 5
pass  model-manifest  .modelctl/manifest.json
FAIL  file            README.md                missing
FAIL  file            weights.bin              expected sha256:[DIGEST] of 3000 bytes, got sha256:[DIGEST] of 3000 bytes
FAIL  file            extra.txt                the model manifest does not name it
FAIL  file            link                     the model manifest does not name it
--- stderr
error: 4 of 5 checks failed
");
}

#[test]
fn folder_that_is_not_there_is_not_found() {
    let env = env_with_folder();
    for command in ["verify", "inspect"] {
        env.run(&[command, "./absent"]).is("\
exit 3
--- stderr
error: `./absent`: No such file or directory (os error 2)
");
    }
}

#[test]
fn verify_json_has_codes_for_programs() {
    let env = env_with_folder();
    fs::write(env.path("out/weights.bin"), "short").unwrap();
    let failed = env.run(&["verify", "./out", "--json"]);
    let report = failed.json();
    let findings = report["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["subject"] == "weights.bin");
    assert_eq!(found.unwrap()["outcome"], "fail");
    assert_eq!(found.unwrap()["code"], "mismatch");
    assert_eq!(failed.code, Some(5));
    assert_eq!(
        failed.stderr,
        "{\"error\":\"1 of 3 checks failed\",\"code\":\"mismatch\",\"exitCode\":5}\n"
    );
}

#[test]
fn folder_without_a_model_manifest_cannot_be_verified() {
    let env = env_with_folder();
    env.run(&["verify", "./model"]).is("\
exit 1
--- stderr
error: `./model` has no `.modelctl/manifest.json`: no complete pull wrote it, and there is nothing to verify it against
");
}

#[test]
fn layout_without_a_tag_is_verified_whole() {
    let env = Env::new();
    artifact::write(&env.path("layout"), "v1", b"12345");
    env.run(&["verify", "oci:layout"]).is("\
exit 0
pass  blob   sha256:[DIGEST]
pass  blob   sha256:[DIGEST]
pass  blob   sha256:[DIGEST]
pass  entry  v1
--- stderr
verified oci:layout: 4 checks
");
    let blob = modelctl::oci::Digest::sha256(b"12345");
    let path = env.path("layout/blobs/sha256").join(blob.hex());
    fs::remove_file(&path).unwrap();
    fs::write(&path, "1234X").unwrap();
    env.run(&["verify", "oci:layout"]).is("\
exit 5
pass  blob   sha256:[DIGEST]
pass  blob   sha256:[DIGEST]
FAIL  blob   sha256:[DIGEST]  got sha256:[DIGEST] of 5 bytes
FAIL  entry  v1                                                                       it needs `sha256:[DIGEST]`, which is missing or corrupt
--- stderr
error: 2 of 4 checks failed
");
}

/// Security row A35: a changed blob of the store is named, and `repair` takes it out.
#[test]
fn repair_takes_out_what_is_corrupt_and_says_what_is_missing() {
    let env = env_with_folder();
    let blob = modelctl::oci::Digest::sha256(&[7; 3000]);
    let path = env.root(STORE).join("blobs/sha256").join(blob.hex());
    fs::remove_file(&path).unwrap();
    fs::write(&path, [8; 3000]).unwrap();
    env.run(&["pull", "store:m:v1", "-o", "again"]).is("\
exit 5
--- stderr
error: blob `sha256:[DIGEST]`: got content with digest `sha256:[DIGEST]`

hint: if it came from the local store, `modelctl repair` takes it out
");
    env.run(&["repair"]).is("\
exit 5
removed corrupt sha256:[DIGEST]
missing sha256:[DIGEST]
--- stderr
checked 5 blobs, removed 0 unfinished files
error: 1 blobs are missing
");
    env.run(&["pack", "./model", "-t", "m:v1", "-q"]).ok();
    env.run(&["repair"]).is("\
exit 0
--- stderr
checked 5 blobs, removed 0 unfinished files
");
}

#[test]
fn gc_frees_what_no_entry_leads_to() {
    let env = env_with_folder();
    env.run(&["gc"]).is("\
exit 0
--- stderr
removed 0 blobs (0 B) and 0 unfinished files
");
    env.run(&["rm", "store:m:v1", "-q"]).ok();
    env.run(&["gc", "--dry-run"]).is("\
exit 0
sha256:[DIGEST]
sha256:[DIGEST]
sha256:[DIGEST]
sha256:[DIGEST]
sha256:[DIGEST]
--- stderr
would remove 5 blobs (5.0 kB) and 0 unfinished files
");
    let left = env.root("home/.local/share/modelctl/ingest/scratch-1/model");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("model.onnx"), "of a run that was killed").unwrap();
    env.run(&["gc", "-q"]).ok();
    assert!(!left.parent().unwrap().exists());
    assert_eq!(env.run(&["gc", "--json"]).json()["bytes"], 0);
}
