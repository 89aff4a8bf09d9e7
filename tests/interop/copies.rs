//! Copies made by other tools keep the digest, and are pulled like the original.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::programs::{MODELCTL, Server, files, succeed};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");

fn modelctl(folder: &Path, arguments: &[&str]) -> String {
    succeed(
        Command::new(MODELCTL)
            .env("MODELCTL_STORE", folder.join("store"))
            .env("COSIGN_PASSWORD", "")
            .args(arguments),
    )
}

/// Pulls a place into a new folder and compares it with the model that was packed.
fn pulls_back(folder: &Path, place: &str) {
    pulls_back_with(folder, place, &[]);
}

fn pulls_back_with(folder: &Path, place: &str, options: &[&str]) {
    let target = folder.join("pulled");
    let pull = ["pull", place, "-o", target.to_str().unwrap()];
    modelctl(folder, &[&pull, options].concat());
    assert!(
        files(Path::new(MODEL), ".modelctl") == files(&target, ".modelctl"),
        "{place} came back differently"
    );
    std::fs::remove_dir_all(target).unwrap();
}

/// Some of the tools leave referrers behind; the signature layer comes along with all of them.
#[test]
#[ignore = "needs the registries, skopeo, crane, oras and regctl"]
fn copies_by_other_tools_keep_the_digest_and_the_signature_layer() {
    let folder = TempDir::new().unwrap();
    let (source, sinks) = (
        Server::distribution(),
        [Server::debian(), Server::embedded()],
    );
    let from = source.reference("mlp:v1");
    let key = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["release", "other"] {
        modelctl(folder.path(), &["keygen", "-q", "-o", &key(name)]);
    }
    let push = ["push", MODEL, &from, "--sign-key", &key("release.key")];
    let digest = modelctl(folder.path(), &push).trim().to_owned();
    for server in &sinks {
        for tool in ["skopeo", "crane", "oras", "regctl"] {
            let to = server.reference(&format!("by-{tool}/mlp:v1"));
            copy_with(tool, [&source, server], &from, &to);
            let pinned = server.reference(&format!("by-{tool}/mlp@{digest}"));
            let signer = ["--key", &key("release.pub")];
            pulls_back_with(folder.path(), &pinned, &signer);
            let target = folder.path().join("refused");
            let output = Command::new(MODELCTL)
                .env("MODELCTL_STORE", folder.path().join("store"))
                .args(["pull", &pinned, "--key", &key("other.pub"), "-o"])
                .arg(&target)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(5), "{tool}");
            assert!(!target.exists(), "{tool}");
        }
    }
}

fn copy_with(tool: &str, servers: [&Server; 2], from: &str, to: &str) {
    let mut command = Command::new(tool);
    match tool {
        "skopeo" => command
            .args(["copy", "--src-tls-verify=false", "--dest-tls-verify=false"])
            .args([from, to].map(|r| format!("docker://{r}"))),
        "crane" => command.args(["copy", "--insecure", from, to]),
        "oras" => command.args(["cp", "--from-plain-http", "--to-plain-http", from, to]),
        _ => {
            for server in servers {
                succeed(Command::new("regctl").args([
                    "registry",
                    "set",
                    "--tls",
                    "disabled",
                    "--skip-check",
                    &server.address,
                ]));
            }
            command.args(["image", "copy", from, to])
        }
    };
    succeed(&mut command);
}

#[test]
#[ignore = "needs the registries and skopeo"]
fn layouts_and_archives_keep_the_digest_and_other_tools_read_them() {
    let folder = TempDir::new().unwrap();
    let server = Server::distribution();
    let from = server.reference("mlp:v1");
    let digest = modelctl(folder.path(), &["push", MODEL, &from])
        .trim()
        .to_owned();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for place in [
        format!("oci:{}:v1", path("layout")),
        format!("oci-archive:{}:v1", path("archive.tar")),
    ] {
        assert_eq!(
            modelctl(folder.path(), &["cp", &from, &place]).trim(),
            digest
        );
        pulls_back(folder.path(), &place);
        let seen = succeed(Command::new("skopeo").args(["inspect", "--raw", &place]));
        assert_eq!(modelctl_digest(seen.as_bytes()), digest, "{place}");
        // Back into a registry, by skopeo.
        let again = server.reference("again:v1");
        succeed(Command::new("skopeo").args([
            "copy",
            "--dest-tls-verify=false",
            &place,
            &format!("docker://{again}"),
        ]));
        pulls_back(folder.path(), &server.reference(&format!("again@{digest}")));
    }
}

fn modelctl_digest(bytes: &[u8]) -> String {
    modelctl::oci::Digest::sha256(bytes).to_string()
}
