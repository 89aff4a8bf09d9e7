//! What `pull` writes, and what it leaves alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::flow::Flow;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn pull_without_a_folder_fills_the_store() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.run(&["pull", &flow.reference("mlp:v1")]).is("\
exit 0
sha256:[DIGEST]
--- stderr
pulled store:127.0.0.1:[PORT]/demo/mlp:v1: 5 blobs (2.9 kB) new, 0 there already
");
    env.run(&["pull", &pinned, "-q"]).ok();
    env.run(&["ls"]).is("\
exit 0
NAME                                                                                              SIZE    DIGEST
127.0.0.1:[PORT]/demo/mlp:v1                                                                       2.9 kB  sha256:[DIGEST]
127.0.0.1:[PORT]/demo/mlp@sha256:[DIGEST]  2.9 kB  sha256:[DIGEST]
");
    let kept = format!("store:{pinned}");
    env.run(&["pull", &kept, "-o", "out", "-q"]).ok();
    flow.is_the_model("out");
}

#[test]
fn pull_keep_fills_the_store_and_the_folder() {
    let flow = Flow::new();
    flow.pushed();
    let reference = flow.reference("mlp:v1");
    flow.env
        .run(&["pull", &reference, "-o", "out", "--keep"])
        .ok();
    flow.is_the_model("out");
    flow.env
        .run(&["verify", &format!("store:{reference}")])
        .ok();
}

#[test]
fn pull_never_replaces_what_no_pull_wrote() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.write("out/mine.txt", "mine");
    env.run(&["pull", &pinned, "-o", "out"]).is("\
exit 2
--- stderr
error: `out` is not empty and no complete pull wrote it: use --force to replace it
");
    assert!(env.path("out/mine.txt").exists());
    env.run(&["pull", &pinned, "-o", "out", "--force"]).ok();
    assert!(!env.path("out/mine.txt").exists());
    // An earlier pull is replaced without being asked.
    env.run(&["pull", &pinned, "-o", "out"]).ok();
    flow.is_the_model("out");
}

#[test]
fn pull_writes_only_what_was_asked_for() {
    let flow = Flow::new();
    let (env, pinned) = (&flow.env, flow.pushed());
    env.run(&["pull", &pinned, "-o", "bare", "--bare", "-q"])
        .ok();
    assert_eq!(files(&env.path("bare")).len(), 2);
    env.run(&["pull", &pinned, "-o", "some", "--only", "*.txt", "-q"])
        .ok();
    assert_eq!(files(&env.path("some")), [env.path("some/labels.txt")]);
    env.run(&["pull", &pinned, "-o", "split", "--layout", "split", "-q"])
        .ok();
    env.run(&["verify", "./split", "-q"]).ok();
    env.run(&["pull", &pinned, "--bare"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --output <DIR>

Usage: modelctl pull --output <DIR> --bare <ARTIFACT>

For more information, try '--help'.
");
}
