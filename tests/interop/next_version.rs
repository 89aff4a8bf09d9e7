//! The next version of a model through every registry: what moves, counted by a proxy between.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::programs::{MODELCTL, Server, succeed};
use crate::support::models::{bytes, inline_sum};
use crate::support::proxy::{Proxy, Traffic};

/// How many floats a tensor has that stands alone in its layer: a little more than 1 MiB.
const LARGE: usize = 270_000;
const SMALL: usize = 40_000;
/// Requests, manifests and headers of a dozen blobs that do not move.
const CONSTANT: u64 = 64 * 1024;

/// Name, how many floats, and the seed of its values.
type Tensor = (String, usize, u64);

/// 60 tensors alone, and a shard of ten: 66 MB.
fn tensors() -> Vec<Tensor> {
    let large = (0..60).map(|i| (format!("large.{i:02}"), LARGE, 1000 + i));
    let small = (0..10).map(|i| (format!("small.{i}"), SMALL, i));
    large.chain(small).collect()
}

fn model(tensors: &[Tensor], producer_version: &str) -> Vec<u8> {
    let borrowed: Vec<(&str, usize, u64)> = tensors
        .iter()
        .map(|(name, count, seed)| (name.as_str(), *count, *seed))
        .collect();
    // ModelProto.producer_version
    [inline_sum(&borrowed), bytes(3, producer_version)].concat()
}

/// The kinds of next version, each with the tensors that are new in bytes.
fn next_versions() -> [(&'static str, Vec<u8>); 4] {
    let mut changed = tensors();
    changed[30].2 += 5000;
    let mut inserted = tensors();
    inserted.insert(30, ("large.29b".to_owned(), LARGE, 7000));
    let mut reordered = tensors();
    reordered.reverse();
    [
        ("changed", model(&changed, "1")),
        ("inserted", model(&inserted, "1")),
        ("reordered", model(&reordered, "1")),
        ("exported-again", model(&tensors(), "2")),
    ]
}

/// The binary with a home of its own, so that it remembers nothing of other tests.
fn modelctl(home: &Path, arguments: &[&str]) {
    let mut command = Command::new(MODELCTL);
    command.env("HOME", home).env_remove("MODELCTL_STORE");
    for variable in ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
        command.env_remove(variable);
    }
    succeed(command.args(arguments).current_dir(home));
}

/// What a command moved through the proxy.
fn moved(proxy: &Proxy, work: impl FnOnce()) -> Traffic {
    let before = proxy.traffic();
    work();
    proxy.traffic() - before
}

fn little_moves(server: &Server) {
    let folder = TempDir::new().unwrap();
    let home = folder.path();
    let proxy = Proxy::before(&server.address);
    let reference = |tag: &str| format!("{}/m:{tag}", proxy.address);
    fs::write(home.join("model.onnx"), model(&tensors(), "1")).unwrap();
    modelctl(home, &["push", "./model.onnx", &reference("v1")]);
    modelctl(home, &["pull", &reference("v1"), "-o", "v1"]);
    for (kind, content) in next_versions() {
        let new = home.join(kind).join("model.onnx");
        fs::create_dir(new.parent().unwrap()).unwrap();
        fs::write(&new, &content).unwrap();
        let limit = content.len() as u64 / 50 + CONSTANT;
        let (path, reference) = (new.to_str().unwrap(), reference(kind));
        let push = moved(&proxy, || modelctl(home, &["push", path, &reference]));
        let out = format!("{kind}-out");
        let arguments = ["pull", &reference, "-o", &out, "--seed", "v1"];
        let pull = moved(&proxy, || modelctl(home, &arguments));
        let name = server.name;
        assert!(push.up <= limit, "{name}, {kind}: {push:?}");
        assert!(pull.down <= limit, "{name}, {kind}: {pull:?}");
        assert!(
            push.down <= CONSTANT && pull.up <= CONSTANT,
            "{push:?}, {pull:?}"
        );
        let pulled = fs::read(home.join(&out).join("model.onnx")).unwrap();
        assert!(pulled == content, "{name}, {kind}");
        fs::remove_dir_all(home.join(&out)).unwrap();
    }
}

#[test]
#[ignore = "needs registry and docker-registry"]
fn next_version_moves_what_changed_in_both_directions() {
    for server in Server::all() {
        little_moves(&server);
    }
}
