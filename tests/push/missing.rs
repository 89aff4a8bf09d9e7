//! A registry that says it has a blob, and misses it when the manifest comes (security row Q13).

use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::ErrorKind;
use modelctl::oci::Digest;
use modelctl::pack::{self, PackOptions};
use modelctl::store::Memory;
use modelctl::transfer::{CopyOptions, copy};

use crate::support::parts::Parts;
use crate::support::plans::{chain, plan, write};
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::transport::anonymous;

fn puts_manifest(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.path().contains("/manifests/")
}

/// A registry that refuses a manifest so many times because it misses a blob.
fn forgetful(code: &'static str, blob: Digest, times: u32) -> Scripted {
    let refused = AtomicU32::new(0);
    Scripted::start(move |seen| {
        let refuses = puts_manifest(seen) && refused.fetch_add(1, Ordering::SeqCst) < times;
        let claims = seen.method == "HEAD" && seen.path().contains("/blobs/");
        let detail = serde_json::json!({ "digest": blob.to_string() });
        let error = serde_json::json!({
            "errors": [{ "code": code, "message": "blob unknown to registry", "detail": detail }],
        });
        if refuses {
            let reply = Reply::new(404, error.to_string());
            return Some(reply.with("Content-Type", "application/json"));
        }
        claims.then(|| Reply::new(200, ""))
    })
}

/// How often the blob and the manifest were sent.
fn sent(server: &Scripted, blob: &Digest) -> (usize, usize) {
    let log = server.log();
    let blobs = log
        .iter()
        .filter(|seen| seen.method == "PUT" && seen.query("digest") == Some(blob.to_string()));
    (
        blobs.count(),
        log.iter().filter(|seen| puts_manifest(seen)).count(),
    )
}

/// Security row Q13: a registry that misses a blob twice is sent it again, once, though it says that
/// it has it; then the manifest comes again.
#[tokio::test]
async fn q13_blob_that_the_registry_lost_is_pushed_again() {
    let parts = Parts::new(&[b"weights", b"more weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    let lost = parts.0[1].0.digest;
    for code in ["BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"] {
        let server = forgetful(code, lost, 2);
        let sink = anonymous(&server);
        let options = CopyOptions::default();
        let report = copy(&source, &sink, &parts.document(), &options).await;
        assert_eq!(report.unwrap().copied, 1, "counted once: the manifest");
        assert_eq!(sent(&server, &lost), (1, 3), "{code}");
        let kept = server.contents().blobs[&lost.to_string()].clone();
        assert_eq!(kept, b"more weights");
    }
}

/// Security row Q13: a registry that misses it for a moment only, as old ones do while others send
/// the same blob, is sent the manifest alone.
#[tokio::test]
async fn q13_blob_that_is_missed_for_a_moment_is_not_sent() {
    let parts = Parts::new(&[b"weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    let lost = parts.0[0].0.digest;
    let server = forgetful("BLOB_UNKNOWN", lost, 1);
    let options = CopyOptions::default();
    let copied = copy(&source, &anonymous(&server), &parts.document(), &options).await;
    copied.unwrap();
    assert_eq!(sent(&server, &lost), (0, 2));
}

/// Security row Q13: a registry that loses it again is named an error, with the blob.
#[tokio::test]
async fn q13_blob_that_is_lost_again_is_an_error_that_names_it() {
    let parts = Parts::new(&[b"weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    let lost = parts.0[0].0.digest;
    let server = forgetful("MANIFEST_BLOB_UNKNOWN", lost, u32::MAX);
    let sink = anonymous(&server);
    let options = CopyOptions::default();
    let copied = copy(&source, &sink, &parts.document(), &options).await;
    let error = copied.unwrap_err();
    let text = chain(&error);
    assert!(
        text.contains(&format!("for want of blob `{lost}`")),
        "{text}"
    );
    assert_eq!(error.kind(), ErrorKind::Unavailable, "later it may work");
    assert_eq!(sent(&server, &lost), (1, 8));
}

/// Security row Q13: what is no blob of ours cannot be brought.
#[tokio::test]
async fn q13_blob_that_nobody_has_is_what_the_registry_says() {
    let parts = Parts::new(&[b"weights"]);
    let source = Memory::new();
    parts.push(&source).await;
    let strange = Digest::sha256(b"of somebody else");
    let server = forgetful("BLOB_UNKNOWN", strange, u32::MAX);
    let sink = anonymous(&server);
    let options = CopyOptions::default();
    let copied = copy(&source, &sink, &parts.document(), &options).await;
    assert_eq!(copied.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(sent(&server, &strange), (0, 6));
}

/// Security row Q13: the same where files are packed and sent in one go.
#[tokio::test]
async fn q13_packed_blob_that_the_registry_lost_is_pushed_again() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("labels.txt", b"cat\ndog\n".to_vec())]);
    let path = folder.path().to_owned();
    let plan = tokio::task::spawn_blocking(move || plan(&path)).await;
    let plan = plan.unwrap();
    let lost = Digest::sha256(b"cat\ndog\n");
    let server = forgetful("BLOB_UNKNOWN", lost, 2);
    let sink = anonymous(&server);
    let options = PackOptions::default();
    let report = pack::store(&plan, &sink, &options).await.unwrap();
    assert_eq!(report.copied, 1);
    assert_eq!(sent(&server, &lost), (1, 3));
    let server = forgetful("BLOB_UNKNOWN", lost, u32::MAX);
    let failed = pack::store(&plan, &anonymous(&server), &options).await;
    let text = chain(&failed.unwrap_err());
    assert!(
        text.contains(&format!("for want of blob `{lost}`")),
        "{text}"
    );
}
