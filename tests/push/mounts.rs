//! Blobs that another repository of the same registry has are mounted, not sent.

use modelctl::oci::Digest;
use modelctl::pack::{self, PackOptions};
use modelctl::store::{Memory, Storage as _};
use modelctl::transfer::{CopyOptions, copy};

use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::models::{FLOAT, floats, sum, tensor};
use crate::support::parts::Parts;
use crate::support::plans::{plan, write};
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::transport::anonymous;

/// The scripted registry knows no repositories: looks at `m` find nothing.
fn nothing_is_in_m(seen: &Seen) -> Option<Reply> {
    (seen.method == "HEAD").then(|| Reply::new(404, ""))
}

fn sent(server: &Scripted, blob: &Digest) -> usize {
    let log = server.log();
    let sent =
        |seen: &&Seen| seen.method == "PUT" && seen.query("digest") == Some(blob.to_string());
    log.iter().filter(sent).count()
}

#[tokio::test]
async fn copy_mounts_what_is_there_and_pushes_the_rest() {
    let parts = Parts::new(&[b"old weights", b"new weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    let server = Scripted::start(nothing_is_in_m);
    server.contents().blob(b"old weights");
    let options = CopyOptions {
        mount_from: vec!["team/base".to_owned()],
        ..CopyOptions::default()
    };
    let sink = anonymous(&server);
    let report = copy(&source, &sink, &parts.document(), &options).await;
    let report = report.unwrap();
    let counts = (report.copied, report.mounted, report.skipped);
    assert_eq!(
        counts,
        (3, 1, 0),
        "new weights, config and manifest are sent"
    );
    assert_eq!(sent(&server, &parts.0[0].0.digest), 0);
    assert_eq!(sent(&server, &parts.0[1].0.digest), 1);
    let sizes = parts.0[1..].iter().map(|(blob, _)| blob.size);
    assert_eq!(
        report.bytes,
        sizes.sum::<u64>(),
        "what was mounted moved nothing"
    );
    for seen in server.log().iter().filter(|seen| seen.method == "POST") {
        if let Some(mounted) = seen.query("mount") {
            assert_eq!(seen.query("from").as_deref(), Some("team/base"));
            let blobs = &parts.0[..3];
            let is_blob = blobs
                .iter()
                .any(|(blob, _)| blob.digest.to_string() == mounted);
            assert!(is_blob, "a manifest cannot be mounted: {mounted}");
        }
    }
}

/// Quirk Q11: a registry may open an upload instead, or refuse in any way.
#[tokio::test]
async fn mount_that_is_refused_is_a_push() {
    let parts = Parts::new(&[b"weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    for status in [202, 400, 401, 403, 404, 405] {
        let server = Scripted::start(move |seen| match seen.query("mount") {
            // The honest registry opens an upload.
            Some(_) if status == 202 => None,
            Some(_) => Some(Reply::new(status, "")),
            None => nothing_is_in_m(seen),
        });
        let options = CopyOptions {
            mount_from: vec!["a".to_owned(), "b".to_owned()],
            ..CopyOptions::default()
        };
        let sink = anonymous(&server);
        let report = copy(&source, &sink, &parts.document(), &options).await;
        let report = report.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!((report.copied, report.mounted), (3, 0), "{status}");
        assert_eq!(sent(&server, &parts.0[0].0.digest), 1, "{status}");
    }
}

#[tokio::test]
async fn packing_mounts_too() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("labels.txt", b"cat\ndog\n".to_vec())]);
    let folder = folder.path().to_owned();
    let plan = tokio::task::spawn_blocking(move || plan(&folder)).await;
    let plan = plan.unwrap();
    let server = Scripted::start(nothing_is_in_m);
    let labels = server.contents().blob(b"cat\ndog\n");
    let options = PackOptions {
        mount_from: vec!["base".to_owned()],
        ..PackOptions::default()
    };
    let report = pack::store(&plan, &anonymous(&server), &options).await;
    let report = report.unwrap();
    assert_eq!((report.copied, report.mounted), (3, 1));
    assert_eq!(sent(&server, &labels.digest), 0);
}

#[tokio::test]
async fn store_without_neighbours_mounts_nothing() {
    let parts = Parts::new(&[b"weights"]);
    let memory = Memory::new();
    assert!(!memory.mount(&parts.0[0].0, "base").await.unwrap());
}

/// A model with two tensors of 2 MiB.
fn two_tensors(w: u64, v: u64) -> Vec<u8> {
    let count = 1 << 19;
    let of = |name, seed| tensor(name, FLOAT, &[count], &floats(seed, count as usize));
    sum(&[("w", of("w", w)), ("v", of("v", v))])
}

/// The registry that comes with the program, and the whole way from the command line.
#[test]
fn push_mounts_from_a_repository_that_is_named_and_cp_from_its_source() {
    let env = Env::new();
    let registry = Embedded::new();
    let model = two_tensors(1, 2);
    env.write("model/model.onnx", model);
    let at = |name: &str| format!("{}/{name}", registry.address);
    env.run(&["push", "./model", &at("base:v1")]).ok();
    let tuned = two_tensors(1, 3);
    env.write("model/model.onnx", tuned);
    let pushed = env.run(&[
        "push",
        "./model",
        &at("tuned:v1"),
        "--mount-from",
        "base",
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&pushed.stdout).unwrap();
    assert!(report["mounted"].as_u64().unwrap() >= 2, "{report}");
    let bytes = report["bytes"].as_u64().unwrap();
    assert!(
        (1 << 21..3 << 20).contains(&bytes),
        "one tensor of two: {report}"
    );

    let copied = env.run(&["cp", &at("tuned:v1"), &at("copy:v1"), "--json"]);
    let copied: serde_json::Value = serde_json::from_str(&copied.stdout).unwrap();
    assert_eq!(copied["copied"], 1, "the manifest: {copied}");
    assert_eq!(copied["digest"], report["digest"]);
    env.run(&["verify", &at("copy:v1")]).ok();
}

#[test]
fn repository_of_another_registry_cannot_be_mounted_from() {
    let env = Env::new();
    env.write("model/labels.txt", "cat\n");
    let push = |from: &str| {
        let reference = "registry.example/m:v1";
        env.run(&["push", "./model", reference, "--mount-from", from])
    };
    push("other.example/base").is("\
exit 2
--- stderr
error: --mount-from: a blob can only be mounted within a registry, and `other.example/base` is not of the one of `registry.example/m`
");
    push("base:v1").is("\
exit 2
--- stderr
error: --mount-from: expected a repository without tag and digest
");
}
