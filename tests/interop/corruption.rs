//! Four bytes changed in a registry's own storage: no path of ours lets them through.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::programs::{MODELCTL, Server, finish, succeed, text};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");

/// Flips bits of the four bytes in the middle of a file.
fn corrupt(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let middle = (file.metadata().unwrap().len() / 2).saturating_sub(2);
    let mut bytes = [0; 4];
    let read = file.read_at(&mut bytes, middle).unwrap();
    bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
    file.write_all_at(&bytes[..read], middle).unwrap();
}

fn modelctl(folder: &Path) -> Command {
    let mut command = Command::new(MODELCTL);
    command.env("MODELCTL_STORE", folder.join("store"));
    command
}

/// Every way to read the artifact; each must end with exit code 5 and name the blob.
fn refuses_everywhere(folder: &Path, pinned: &str, blob: &str) {
    let out = folder.join("out");
    let path = out.to_str().unwrap();
    let (layout, archive) = (format!("oci:{path}:v1"), format!("oci-archive:{path}:v1"));
    let ways: [&[&str]; 7] = [
        &["pull", pinned],
        &["pull", pinned, "-o", path],
        &["pull", pinned, "-o", path, "--layout", "split"],
        &["pull", pinned, "-o", path, "--bare"],
        &["cp", pinned, &layout],
        &["cp", pinned, &archive],
        &["verify", pinned],
    ];
    for way in ways {
        // What an earlier pull kept is good, and would not be fetched again.
        let _ = fs::remove_dir_all(folder.join("store"));
        let output = finish(modelctl(folder).args(way));
        assert_eq!(output.status.code(), Some(5), "{way:?}: {}", text(&output));
        assert!(
            text(&output).contains(blob),
            "{way:?} does not name {blob}: {}",
            text(&output)
        );
        // A layout may hold other, good blobs; it must not name the artifact nor hold the bad one.
        let bad = out.join("blobs/sha256").join(&blob[7..]);
        assert!(!bad.exists(), "{way:?} left the corrupt blob");
        let index = fs::read_to_string(out.join("index.json")).unwrap_or_default();
        assert!(
            !index.contains(&pinned[pinned.len() - 64..]),
            "{way:?} names the artifact"
        );
        if !way[way.len() - 1].starts_with("oci:") {
            assert!(!out.exists(), "{way:?} left {path}");
        }
        let _ = fs::remove_dir_all(&out);
    }
}

#[test]
#[ignore = "needs the registries"]
fn four_changed_bytes_in_any_layer_are_refused_on_every_path() {
    for server in [Server::distribution(), Server::embedded()] {
        let folder = TempDir::new().unwrap();
        let reference = server.reference("mlp:v1");
        let digest = succeed(modelctl(folder.path()).args(["push", MODEL, &reference]))
            .trim()
            .to_owned();
        let manifest: serde_json::Value =
            serde_json::from_slice(&fs::read(server.blob_file(&digest)).unwrap()).unwrap();
        let blobs: Vec<&str> = manifest["layers"]
            .as_array()
            .unwrap()
            .iter()
            .chain([&manifest["config"]])
            .map(|descriptor| descriptor["digest"].as_str().unwrap())
            .collect();
        assert!(
            blobs.len() >= 4,
            "the example has too few layers: {blobs:?}"
        );
        let pinned = server.reference(&format!("mlp@{digest}"));
        for blob in blobs.iter().copied().chain([digest.as_str()]) {
            let file = server.blob_file(blob);
            let good = fs::read(&file).unwrap();
            corrupt(&file);
            refuses_everywhere(folder.path(), &pinned, blob);
            fs::write(&file, good).unwrap();
        }
        succeed(modelctl(folder.path()).args(["verify", &pinned]));
    }
}
