//! Garbage collection of the embedded registry, while it serves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use modelctl::oci::Digest;
use modelctl::registry::{Collection, Metrics};
use modelctl::store::Layout;
use tempfile::TempDir;

use crate::support::embedded::{Embedded, manifest_of};

fn collecting(folder: &TempDir, interval: u64, keep: u64) -> Embedded {
    Embedded::serve_with(folder.path(), |options| {
        options.collection = Some(Collection {
            interval: Duration::from_millis(interval),
            keep: Duration::from_millis(keep),
        });
    })
}

fn wait_until_gone(registry: &Embedded, digest: &Digest) {
    let begin = Instant::now();
    while registry.content(digest).exists() {
        assert!(
            begin.elapsed() < Duration::from_secs(30),
            "{digest} is still there"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn garbage_goes_while_the_registry_serves_and_what_is_needed_stays() {
    let folder = TempDir::new().unwrap();
    let registry = collecting(&folder, 50, 300);
    let needed = registry.push_blob("a", b"needed");
    let raw = manifest_of(b"needed", "");
    let name = Digest::sha256(raw.as_bytes());
    // Without a tag it can still be pulled by its digest.
    registry.push_manifest("a", &name.to_string(), &raw).is(201);
    let garbage = registry.push_blob("b", b"garbage");
    registry
        .ask(
            "POST",
            format!("/v2/c/blobs/uploads/?mount={garbage}&from=b"),
        )
        .is(201);
    wait_until_gone(&registry, &garbage);
    for repository in ["b", "c"] {
        let gone = registry.ask("GET", format!("/v2/{repository}/blobs/{garbage}"));
        gone.fails(404, "BLOB_UNKNOWN");
    }
    registry.ask("GET", format!("/v2/a/blobs/{needed}")).is(200);
    // A manifest that is deleted takes with it what it alone needed.
    registry
        .ask("DELETE", format!("/v2/a/manifests/{name}"))
        .is(202);
    wait_until_gone(&registry, &needed);
    wait_until_gone(&registry, &name);
    // And all of it can come back.
    registry.push_blob("a", b"needed");
    registry.push_manifest("a", "v1", &raw).is(201);
    registry.ask("GET", "/v2/a/manifests/v1").is(200);
}

/// The first layer of a large push is old when the last arrives.
#[test]
fn blobs_are_kept_as_long_as_something_is_pushed_to_their_repository() {
    let folder = TempDir::new().unwrap();
    let registry = collecting(&folder, 30, 500);
    let first = registry.push_blob("a", b"first");
    let other = registry.push_blob("b", b"other");
    let upload = registry.open_upload("a");
    wait_until_gone(&registry, &other);
    thread::sleep(Duration::from_millis(300));
    assert!(registry.content(&first).exists());
    registry.ask("DELETE", upload.as_str()).is(204);
    wait_until_gone(&registry, &first);
}

#[test]
fn collection_waits_for_other_programs_that_add_to_the_layout() {
    let folder = TempDir::new().unwrap();
    let registry = collecting(&folder, 30, 0);
    registry.ask("GET", "/v2/").is(200);
    let layout = Layout::open(folder.path()).unwrap();
    let hold = layout.hold().unwrap();
    let garbage = registry.push_blob("a", b"garbage");
    thread::sleep(Duration::from_millis(400));
    assert!(registry.content(&garbage).exists());
    drop(hold);
    wait_until_gone(&registry, &garbage);
    // Nor does another program collect what this one serves.
    layout.gc().unwrap_err();
}

/// Many push, ask and delete, while garbage is collected without a pause, and everything counts as
/// garbage that no manifest needs at that moment: the hardest case for whoever stores a manifest.
/// What was acknowledged with all that it needs can be pulled, whatever was going on.
#[test]
fn nothing_that_a_manifest_needs_is_lost_under_load() {
    let folder = TempDir::new().unwrap();
    let metrics = Arc::new(Metrics::default());
    let counted = Arc::clone(&metrics);
    let registry = Embedded::serve_with(folder.path(), |options| {
        options.collection = Some(Collection {
            interval: Duration::from_millis(1),
            keep: Duration::ZERO,
        });
        options.metrics = counted;
    });
    let kept = Mutex::new(Vec::new());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..4 {
            let (registry, kept, is_over) = (&registry, &kept, &is_over);
            scope.spawn(move || {
                for n in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let repository = format!("r{}", n % 3);
                    // What several need comes and goes with each of them.
                    let shared = format!("shared {}", (n + client) % 4);
                    push_artifact(registry, &repository, "shared", shared.as_bytes());
                    let name = Digest::sha256(manifest_of(shared.as_bytes(), "").as_bytes());
                    registry.ask("DELETE", format!("/v2/{repository}/manifests/{name}"));
                    let (tag, own) = (format!("{client}-{n}"), format!("own {}", (n + client) % 4));
                    push_artifact(registry, &repository, &tag, own.as_bytes());
                    kept.lock().unwrap().push((repository, tag, own));
                }
            });
        }
        thread::sleep(Duration::from_secs(4));
        is_over.store(true, Ordering::Relaxed);
    });
    let kept = kept.into_inner().unwrap();
    assert!(kept.len() > 8, "{}", kept.len());
    for (repository, tag, own) in kept {
        let manifest = registry.ask("GET", format!("/v2/{repository}/manifests/{tag}"));
        manifest.is(200);
        let digest = Digest::sha256(own.as_bytes());
        let blob = registry.ask("GET", format!("/v2/{repository}/blobs/{digest}"));
        assert_eq!(blob.is(200).body, own.as_bytes());
    }
    let text = metrics.text();
    let freed = text
        .lines()
        .find_map(|line| line.strip_prefix("modelctl_registry_collected_bytes_total "));
    assert_ne!(freed, Some("0"), "nothing was collected");
}

/// Pushes a blob and a manifest that needs it, as often as the blob is gone before its manifest.
fn push_artifact(registry: &Embedded, repository: &str, tag: &str, config: &[u8]) {
    for _ in 0..1000 {
        registry.push_blob(repository, config);
        let stored = registry.push_manifest(repository, tag, &manifest_of(config, ""));
        match stored.status {
            404 => stored.fails(404, "MANIFEST_BLOB_UNKNOWN"),
            _ => return drop(stored.is(201)),
        };
    }
    panic!("it was collected each time");
}
