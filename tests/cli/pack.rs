//! `pack` of files that are no ONNX model; the models are in `flow.rs`.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;

use crate::support::env::Env;

fn env_with_files() -> Env {
    let env = Env::new();
    env.write("model/weights.bin", [7; 3000]);
    env.write("model/README.md", "# A model\n");
    env.write("model/.DS_Store", "x");
    env
}

#[test]
fn pack_prints_the_digest_and_names_the_entry() {
    let env = env_with_files();
    env.run(&["pack", "model", "-t", "demo/files"]).is("\
exit 0
sha256:[DIGEST]
--- stderr
2 files (3.0 kB) in 3 layers (5.0 kB)
left out 1: .DS_Store
packed store:demo/files:latest: 5 blobs (5.0 kB) new, 0 there already
");
    env.run(&["ls"]).is("\
exit 0
NAME               SIZE    DIGEST
demo/files:latest  5.0 kB  sha256:[DIGEST]
");
}

#[test]
fn dry_run_prints_the_plan_and_the_digest_that_pack_gives() {
    let env = env_with_files();
    let plan = env.run(&["pack", "model", "--dry-run", "-q"]);
    plan.is("\
exit 0
LAYER                    KIND      SIZE    HOLDS   DIGEST
.modelctl/manifest.json  manifest  595 B           sha256:[DIGEST]
weights.bin              weights   3.0 kB  1 file  sha256:[DIGEST]
README.md                file      10 B    1 file  sha256:[DIGEST]

sha256:[DIGEST]
");
    env.run(&["ls"]).is("exit 0\n");
    assert_eq!(plan.ok(), env.run(&["pack", "model", "-t", "x"]).ok());
    assert_eq!(
        plan.ok(),
        env.run(&["pack", "model", "-o", "oci:out:v1"]).ok()
    );
    env.run(&["ls", "oci:out"]).is("\
exit 0
NAME  SIZE    DIGEST
v1    5.0 kB  sha256:[DIGEST]
");
}

#[test]
fn pack_json_lists_layers_and_what_was_left_out() {
    let env = env_with_files();
    let report = env.run(&["pack", "model", "-t", "x:v1", "--json"]).json();
    assert_eq!(report["name"], "store:x:v1");
    assert_eq!(report["leftOut"], serde_json::json!([".DS_Store"]));
    assert_eq!(report["layers"][1]["path"], "weights.bin");
    assert_eq!(report["layers"][1]["size"], 3000);
}

#[test]
fn pack_needs_to_know_where_to() {
    env_with_files().run(&["pack", "model"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --tag <REFERENCE>

Usage: modelctl pack --tag <REFERENCE> <PATH>

For more information, try '--help'.
");
    env_with_files()
        .run(&["pack", "model", "-o", "store:x:v1"])
        .is("\
exit 2
--- stderr
error: expected `oci:DIR[:TAG]`, got `store:x:v1`
");
}

#[test]
fn pack_that_fails_leaves_no_layout() {
    let env = Env::new();
    let packed = env.run(&["pack", "absent", "-o", "oci:out:v1"]);
    assert_eq!(packed.code, Some(3));
    assert!(!env.path("out").exists());
}

#[test]
fn pack_of_nothing_is_not_found() {
    Env::new().run(&["pack", "absent", "-t", "x"]).is("\
exit 3
--- stderr
error: cannot read `absent`
  caused by: No such file or directory (os error 2)
");
}

/// Security row A07: nothing is dropped in silence.
#[test]
fn pack_refuses_links_and_says_what_to_do() {
    let env = env_with_files();
    symlink("README.md", env.path("model/link")).unwrap();
    env.run(&["pack", "model", "-t", "x"]).is("\
exit 1
--- stderr
error: `link` is a symbolic link to `README.md`; pack the real file in its place, or leave it out with --exclude '/link'
");
    env.run(&["pack", "model", "-t", "x", "-q", "--exclude", "/link"])
        .ok();
}

/// Security row A07: links that lead nowhere, or in a circle, and what would never end.
#[test]
fn pack_refuses_what_is_no_file() {
    let refused = |prepare: &dyn Fn(&Env), expected: &str| {
        let env = env_with_files();
        prepare(&env);
        let text = format!("exit 1\n--- stderr\nerror: {expected}\n");
        env.run(&["pack", "model", "-t", "x"]).is(&text);
        env.run(&["pack", "model", "-t", "x", "--dry-run"])
            .is(&text);
        env.run(&["ls"]).is("exit 0\n");
    };
    for target in [".", "nowhere", "../home", "/etc/passwd"] {
        refused(
            &|env| symlink(target, env.path("model/x")).unwrap(),
            &format!(
                "`x` is a symbolic link to `{target}`; pack the real file in its place, or leave \
                 it out with --exclude '/x'"
            ),
        );
    }
    let pipe = |env: &Env| {
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, env.path("model/x"), mode).unwrap();
    };
    refused(
        &pipe,
        "`x` is a FIFO, not a regular file; leave it out with --exclude '/x'",
    );
    refused(
        &|env| drop(UnixListener::bind(env.path("model/x")).unwrap()),
        "`x` is a socket, not a regular file; leave it out with --exclude '/x'",
    );
}

/// Security row A07. Root may read everything, so it becomes somebody else for this.
#[test]
fn pack_names_what_it_may_not_read() {
    const NOBODY: u32 = 65534;
    let env = env_with_files();
    fs::create_dir(env.path("model/secret")).unwrap();
    for (name, mode) in [("", 0o755), ("home", 0o777), ("work", 0o755)] {
        fs::set_permissions(env.root(name), Permissions::from_mode(mode)).unwrap();
    }
    let denied = "Permission denied (os error 13)";
    for (name, expected) in [
        ("weights.bin", format!("`model/weights.bin`: {denied}")),
        (
            "secret",
            format!("cannot read `model/secret`\n  caused by: {denied}"),
        ),
    ] {
        let mode = |mode| Permissions::from_mode(mode);
        let path = env.path("model").join(name);
        fs::set_permissions(&path, mode(0o000)).unwrap();
        // Somebody else needs a program that is within reach.
        let program = env.root("modelctl");
        if !program.exists() {
            fs::copy(env!("CARGO_BIN_EXE_modelctl"), &program).unwrap();
        }
        let mut command = env.command_of(&program, &["pack", "model", "-t", "x"]);
        if path.metadata().unwrap().uid() == 0 {
            command.uid(NOBODY).gid(NOBODY);
        }
        env.run_command(command)
            .is(&format!("exit 1\n--- stderr\nerror: {expected}\n"));
        fs::set_permissions(&path, mode(0o755)).unwrap();
    }
}

#[test]
fn date_comes_from_the_environment_only_and_must_be_one() {
    let env = env_with_files().with("SOURCE_DATE_EPOCH", "soon");
    env.run(&["pack", "model", "-t", "x"]).is("\
exit 2
--- stderr
error: SOURCE_DATE_EPOCH: expected seconds since 1970, got `soon`
");
    let undated = env_with_files().run(&["pack", "model", "--dry-run"]).ok();
    let dated = env_with_files().with("SOURCE_DATE_EPOCH", "1700000000");
    let dated = dated.run(&["pack", "model", "--dry-run"]).ok();
    assert_ne!(dated, undated);
}
