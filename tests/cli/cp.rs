//! `cp` between the store and layouts; registries and archives are in `flow.rs`.

use crate::support::artifact;
use crate::support::env::Env;

const STORE: &str = "home/.local/share/modelctl";

#[test]
fn cp_writes_a_layout_that_names_the_tag() {
    let env = Env::new();
    let digest = artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    let copied = env.run(&["cp", "store:demo/mlp:v1", "oci:out:v1"]);
    copied.is("\
exit 0
sha256:[DIGEST]
--- stderr
copied oci:out:v1: 3 blobs (485 B) new, 0 there already
");
    assert_eq!(copied.ok(), digest.to_string());
    env.run(&["cp", "store:demo/mlp:v1", "oci:out:v2"]).is("\
exit 0
sha256:[DIGEST]
--- stderr
copied oci:out:v2: nothing new, 3 there already
");
    env.run(&["ls", "oci:out"]).is("\
exit 0
NAME  SIZE   DIGEST
v1    485 B  sha256:[DIGEST]
v2    485 B  sha256:[DIGEST]
");
}

#[test]
fn cp_to_another_digest_is_refused_before_anything_is_copied() {
    let env = Env::new();
    artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    let other = format!("store:other@sha256:{}", "a".repeat(64));
    env.run(&["cp", "store:demo/mlp:v1", &other]).is("\
exit 2
--- stderr
error: `other@sha256:[DIGEST]` names another digest than that of the artifact, `sha256:[DIGEST]`
");
}

/// Security row A20: credentials are shown to no registry that they were not given for.
#[test]
fn cp_between_two_registries_takes_no_credentials_for_both() {
    let env = Env::new();
    let cp = ["cp", "a.example/m:v1", "b.example/m:v1", "--username", "u"];
    env.run(&cp).is("\
exit 2
--- stderr
error: --username: it is for one registry, and `a.example` and `b.example` take part; `modelctl login` keeps credentials for each
");
}

/// Security rows A31 and A35: what lies in the store is verified when it is read.
#[test]
fn cp_of_a_changed_blob_names_it_and_tags_nothing() {
    let env = Env::new();
    artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    let layer = modelctl::oci::Digest::sha256(b"12345");
    let blob = env.root(STORE).join("blobs/sha256").join(layer.hex());
    std::fs::remove_file(&blob).unwrap();
    std::fs::write(&blob, b"1234X").unwrap();
    env.run(&["cp", "store:demo/mlp:v1", "oci:out:v1"]).is("\
exit 5
--- stderr
error: cannot copy `sha256:[DIGEST]`: the source failed
  caused by: blob `sha256:[DIGEST]`: got content with digest `sha256:[DIGEST]`
");
    assert!(!env.path("out").exists());
}

/// A copy that fails leaves nothing that was not there before.
#[test]
fn cp_that_fails_leaves_no_layout_behind() {
    let env = Env::new();
    artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    env.run(&["cp", "store:demo/mlp:v1", "oci:other:v1"]).ok();
    artifact::write(&env.root(STORE), "demo/broken:v1", b"67890");
    let layer = modelctl::oci::Digest::sha256(b"67890");
    let blob = env.root(STORE).join("blobs/sha256").join(layer.hex());
    std::fs::remove_file(&blob).unwrap();
    let fails = |to: &str| {
        let copied = env.run(&["cp", "store:demo/broken:v1", to]);
        assert_eq!(copied.code, Some(3), "{copied}");
    };
    fails("oci:new/deep/out:v1");
    assert!(!env.path("new").exists());
    std::fs::create_dir(env.path("empty")).unwrap();
    fails("oci:empty:v1");
    assert_eq!(std::fs::read_dir(env.path("empty")).unwrap().count(), 0);
    // What others have put there stays.
    let before = env.run(&["ls", "oci:other"]).to_string();
    fails("oci:other:v2");
    assert_eq!(env.run(&["ls", "oci:other"]).to_string(), before);
}

#[test]
fn cp_json_has_what_was_moved() {
    let env = Env::new();
    artifact::write(&env.root(STORE), "demo/mlp:v1", b"12345");
    let copied = env.run(&["cp", "--json", "store:demo/mlp:v1", "oci:out:v1"]);
    copied.ok();
    let digest = copied.json()["digest"].clone();
    let expected = serde_json::json!({
        "name": "oci:out:v1",
        "digest": digest,
        "copied": 3,
        "mounted": 0,
        "skipped": 0,
        "bytes": 485,
        "referrers": 0
    });
    assert_eq!(copied.json(), expected);
}
