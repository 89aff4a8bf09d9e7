//! `lock`, and who holds to it.

use std::fs;

use modelctl::trust::PublicKey;
use serde_json::json;

use crate::support::embedded::Embedded;
use crate::support::env::{Env, Transcript};

/// A registry with two versions of a model under `prod/mlp`, of which `v1` is tagged.
fn stage() -> (Env, Embedded, String) {
    let (env, registry) = (Env::new(), Embedded::new());
    let repository = format!("{}/prod/mlp", registry.address);
    for (tag, content) in [("v1", "one"), ("v2", "two")] {
        env.write("mlp/weights.bin", content);
        env.run(&["push", "./mlp", &format!("{repository}:{tag}"), "-q"])
            .ok();
    }
    fs::remove_dir_all(env.path("mlp")).unwrap();
    (env, registry, repository)
}

#[test]
fn lock_writes_entries_and_keeps_the_others() {
    let (env, _registry, repository) = stage();
    let v1 = format!("{repository}:v1");
    env.run(&["lock", &v1]).is("\
exit 0
locked  mlp  127.0.0.1:[PORT]/prod/mlp:v1  sha256:[DIGEST]
");
    let v2 = format!("{repository}:v2");
    env.run(&["lock", &v2]).is("\
exit 2
--- stderr
error: `mlp` is locked for `127.0.0.1:[PORT]/prod/mlp:v1` already (give another name with --name)
");
    env.run(&["lock", &v2, "--name", "next"]).ok();
    let before = fs::read_to_string(env.path("modelctl.lock")).unwrap();
    assert_eq!(before.matches("[model.").count(), 2);
    env.run(&["lock", &v1]).is("\
exit 0
unchanged  mlp  127.0.0.1:[PORT]/prod/mlp:v1  sha256:[DIGEST]
");
    env.run(&["lock", "--update", "next"]).is("\
exit 0
unchanged  next  127.0.0.1:[PORT]/prod/mlp:v2  sha256:[DIGEST]
");
    assert_eq!(
        fs::read_to_string(env.path("modelctl.lock")).unwrap(),
        before
    );
}

#[test]
fn a34_moved_tag_is_locked_again_only_when_asked() {
    let (env, _registry, repository) = stage();
    let (v1, v2) = (format!("{repository}:v1"), format!("{repository}:v2"));
    env.run(&["lock", &v1]).ok();
    let before = fs::read_to_string(env.path("modelctl.lock")).unwrap();
    env.run(&["tag", &v2, "v1", "-q"]).ok();
    env.run(&["lock", &v1]).is("\
exit 5
--- stderr
error: tag v1 moved: locked sha256:[DIGEST] registry has sha256:[DIGEST] (use modelctl lock --update)
");
    assert_eq!(
        fs::read_to_string(env.path("modelctl.lock")).unwrap(),
        before
    );
    env.run(&["lock", "--update"]).is("\
exit 0
updated  mlp  127.0.0.1:[PORT]/prod/mlp:v1  sha256:[DIGEST]
");
}

#[test]
fn lock_that_cannot_be_used_is_no_empty_lock() {
    let (env, _registry, repository) = stage();
    let v1 = format!("{repository}:v1");
    env.write("modelctl.lock", "version = 1\nmodels = {}\n");
    env.run(&["lock", &v1]).is("\
exit 5
--- stderr
error: the lock file is malformed: TOML parse error at line 2, column 1
  |
2 | models = {}
  | ^^^^^^
unknown field `models`, expected `version` or `model`
");
    env.run(&["lock", "--update", "-f", "absent.lock"]).is("\
exit 3
--- stderr
error: cannot use `absent.lock`: No such file or directory (os error 2)
");
}

#[test]
fn a34_pull_holds_to_the_lock_and_leaves_nothing() {
    let (env, _registry, repository) = stage();
    let (v1, v2) = (format!("{repository}:v1"), format!("{repository}:v2"));
    env.run(&["pull", &v1, "-o", "out", "--locked"]).is("\
exit 3
--- stderr
error: cannot use `modelctl.lock`: No such file or directory (os error 2)
");
    env.run(&["lock", &v1]).ok();
    let locked = env
        .run(&["pull", "mlp", "-o", "out", "--locked", "-q"])
        .ok();
    env.write("any.toml", "version = 1\n[[rule]]\nunsigned = true\n");
    let admitted = env.run(&[
        "pull", "mlp", "-o", "out", "--locked", "--policy", "any.toml",
    ]);
    let says_so = admitted
        .stderr
        .contains("pass      lock        as it was locked\n");
    assert!(says_so, "{admitted}");
    env.run(&["pull", &v2, "-o", "next", "--locked"]).is("\
exit 5
--- stderr
error: `127.0.0.1:[PORT]/prod/mlp:v2` is not in the lock file (use modelctl lock)
");
    env.run(&["tag", &v2, "v1", "-q"]).ok();
    for name in [v1.as_str(), "mlp"] {
        env.run(&["pull", name, "-o", "next", "--locked=modelctl.lock"]).is("\
exit 5
--- stderr
error: tag v1 moved: locked sha256:[DIGEST] registry has sha256:[DIGEST] (use modelctl lock --update)
");
    }
    assert!(!env.path("next").exists());
    let pinned = format!("{repository}@{locked}");
    env.run(&["pull", &pinned, "-o", "next", "--locked", "-q"])
        .ok();
    assert_eq!(
        fs::read_to_string(env.path("next/weights.bin")).unwrap(),
        "one"
    );
}

/// What `lock` says of a reference with some options, and what is in the lock file then.
fn locked(env: &Env, options: &[&str]) -> (Transcript, Option<String>) {
    let transcript = env.run(&[&["lock"], options].concat());
    (
        transcript,
        fs::read_to_string(env.path("modelctl.lock")).ok(),
    )
}

/// The keys `a` and `b`, each with its name in lock files.
fn keys(env: &Env) -> [String; 2] {
    [("a", "p256"), ("b", "p521")].map(|(name, vector)| {
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
        let read = |extension: &str| fs::read(format!("{vectors}/{vector}.{extension}")).unwrap();
        env.write(&format!("{name}.key"), read("pkcs8.pem"));
        let public = read("pub");
        env.write(&format!("{name}.pub"), &public);
        format!("key {}", PublicKey::parse(&public).unwrap().id())
    })
}

#[test]
fn lock_with_a_key_writes_who_has_signed_or_nothing() {
    let (env, _registry, repository) = stage();
    let [a, _] = keys(&env);
    let (v1, v2) = (format!("{repository}:v1"), format!("{repository}:v2"));
    let (unsigned, file) = locked(&env, &[&v1, "--key", "a.pub"]);
    assert_eq!((unsigned.code, file), (Some(5), None), "{unsigned}");
    assert!(unsigned.stderr.contains("no signature found"), "{unsigned}");

    env.run(&["sign", &v1, "--key", "a.key", "-q"]).ok();
    let (other, file) = locked(&env, &[&v1, "--key", "b.pub"]);
    assert_eq!((other.code, file), (Some(5), None), "{other}");
    assert!(other.stderr.contains("signature invalid"), "{other}");
    let (both, file) = locked(&env, &[&v1, &v2, "--key", "a.pub"]);
    assert_eq!((both.code, file), (Some(5), None), "{both}");

    let (right, file) = locked(&env, &[&v1, "--key", "a.pub", "--key", "b.pub", "--json"]);
    assert_eq!(right.json()["entries"][0]["signers"], json!([a]));
    let file = file.unwrap();
    assert!(file.contains(&format!("\nsigners = [\"{a}\"]\n")), "{file}");
    env.run(&["pull", "mlp", "-o", "out", "--locked", "-q"])
        .ok();
}

#[test]
fn locked_signer_is_replaced_only_by_verified_ones() {
    let (env, _registry, repository) = stage();
    let [a, b] = keys(&env);
    let (v1, v2) = (format!("{repository}:v1"), format!("{repository}:v2"));
    env.run(&["sign", &v1, "--key", "a.key", "-q"]).ok();
    let (_, before) = locked(&env, &[&v1, "--key", "a.pub"]);
    let all = ["--update", "--key", "a.pub", "--key", "b.pub", "--all-keys"];
    let (lacking, file) = locked(&env, &all);
    assert_eq!((lacking.code, &file), (Some(5), &before), "{lacking}");

    env.run(&["sign", &v1, "--key", "b.key", "-q"]).ok();
    env.write(
        "policy.toml",
        "version = 1\n[[rule]]\n[rule.signatures]\nsigners = [{ key = \"a.pub\" }]\n",
    );
    let policy = ["--update", "--policy", "policy.toml", "--key", "b.pub"];
    let (_, file) = locked(&env, &policy);
    let mut signers = [a, b];
    signers.sort();
    let line = format!("signers = [\"{}\", \"{}\"]", signers[0], signers[1]);
    assert!(file.as_ref().unwrap().contains(&line), "{file:?}");

    env.run(&["tag", &v2, "v1", "-q"]).ok();
    for (key, code) in [(&[][..], 2), (&["--key", "a.pub"], 5)] {
        let (refused, after) = locked(&env, &[&["--update"], key].concat());
        assert_eq!((refused.code, &after), (Some(code), &file), "{refused}");
    }
}
