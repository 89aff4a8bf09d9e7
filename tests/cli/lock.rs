//! `lock`, and who holds to it.

use std::fs;

use crate::support::embedded::Embedded;
use crate::support::env::Env;

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
