//! The store behind the embedded registry: what a restart finds, and what other programs see.

use std::fs;
use std::io::Write;
use std::path::Path;

use modelctl::oci::{Descriptor, Digest, Document};
use modelctl::store::{Layout, StoreError};
use tempfile::TempDir;

use crate::support::embedded::{Embedded, manifest_of};
use crate::support::http::{Request, connect};

/// The names in a layout's index, sorted.
fn names(store: &Path) -> Vec<String> {
    let entries = Layout::open(store).unwrap().entries().unwrap();
    let mut names: Vec<String> = entries.into_iter().filter_map(|entry| entry.name).collect();
    names.sort();
    names
}

#[test]
fn restart_finds_everything_that_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let mut registry = Embedded::over(folder.path());
    let config = registry.push_blob("a/b", b"{}");
    let (one, two) = (manifest_of(b"{}", "1"), manifest_of(b"{}", "2"));
    registry.push_manifest("a/b", "v1", &one).is(201);
    registry.push_manifest("a/b", "v1", &two).is(201);
    let location = registry.open_upload("a/b");
    registry.stop().unwrap();

    let registry = Embedded::over(folder.path());
    registry
        .ask("GET", format!("/v2/a/b/blobs/{config}"))
        .is(200);
    let tagged = registry.ask("GET", "/v2/a/b/manifests/v1").is(200);
    assert_eq!(tagged.body, two.as_bytes());
    let digest = Digest::sha256(one.as_bytes());
    registry
        .ask("GET", format!("/v2/a/b/manifests/{digest}"))
        .is(200);
    // What was half done is not there, and its client begins again.
    registry
        .ask("GET", location)
        .fails(404, "BLOB_UPLOAD_UNKNOWN");
    assert_eq!(registry.unfinished(), 0);
}

#[test]
fn store_is_served_by_one_process_at_a_time() {
    let folder = TempDir::new().unwrap();
    let mut first = Embedded::over(folder.path());
    first.ask("GET", "/v2/").is(200);
    let refused = Embedded::over(folder.path()).stop().unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("served by another registry process"),
        "{refused}"
    );
    first.stop().unwrap();
    Embedded::over(folder.path()).ask("GET", "/v2/").is(200);
}

#[test]
fn stop_waits_for_a_request_in_work() {
    let mut registry = Embedded::new();
    let digest = Digest::sha256(b"slowly");
    let request = Request::new("POST", format!("/v2/a/blobs/uploads/?digest={digest}"));
    let mut stream = connect(registry.address);
    stream
        .write_all(request.body(*b"slowly").head().as_bytes())
        .unwrap();
    stream.write_all(b"slo").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(200));
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| registry.stop());
        std::thread::sleep(std::time::Duration::from_millis(200));
        stream.write_all(b"wly").unwrap();
        crate::support::http::Reply::read(stream, false).is(201);
        stopping.join().unwrap().unwrap();
    });
}

#[test]
fn index_follows_tags_and_manifests() {
    let folder = TempDir::new().unwrap();
    let registry = Embedded::over(folder.path());
    registry.push_blob("a", b"{}");
    let (one, two) = (manifest_of(b"{}", "1"), manifest_of(b"{}", "2"));
    let [first, second] = [&one, &two].map(|raw| Digest::sha256(raw.as_bytes()));
    registry.push_manifest("a", "v1", &one).is(201);
    assert_eq!(names(folder.path()), ["a:v1"]);
    registry.push_manifest("a", "v1", &two).is(201);
    assert_eq!(
        names(folder.path()),
        ["a:v1".to_owned(), format!("a@{first}")]
    );
    registry.ask("DELETE", "/v2/a/manifests/v1").is(202);
    let mut bare = [format!("a@{first}"), format!("a@{second}")];
    bare.sort();
    assert_eq!(names(folder.path()), bare);
    for digest in [first, second] {
        registry
            .ask("DELETE", format!("/v2/a/manifests/{digest}"))
            .is(202);
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn index_is_made_to_agree_when_a_store_is_opened() {
    let folder = TempDir::new().unwrap();
    let mut registry = Embedded::over(folder.path());
    registry.push_blob("a", b"{}");
    let (one, two) = (manifest_of(b"{}", "1"), manifest_of(b"{}", "2"));
    registry.push_manifest("a", "v1", &one).is(201);
    let gone = Digest::sha256(two.as_bytes());
    registry.push_manifest("a", &gone.to_string(), &two).is(201);
    registry.stop().unwrap();
    // As if the process had died between a record and the index, in both directions.
    let layout = Layout::open(folder.path()).unwrap();
    layout.untag("a:v1").unwrap();
    let record = format!("registry/repositories/a/_manifests/sha256/{}", gone.hex());
    fs::remove_file(folder.path().join(record)).unwrap();
    let registry = Embedded::over(folder.path());
    registry.ask("GET", "/v2/a/manifests/v1").is(200);
    assert_eq!(names(folder.path()), ["a:v1"]);
}

#[test]
fn packed_artifacts_are_served_from_the_same_store() {
    let folder = TempDir::new().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let raw = manifest_of(b"config", "packed");
    let document = Document::parse(raw.clone().into_bytes(), None).unwrap();
    let blobs: [(Descriptor, &[u8]); 2] = [
        (document.manifest().unwrap().config.clone(), b"config"),
        (document.descriptor(), document.raw()),
    ];
    for (blob, mut content) in blobs {
        layout.put_blob(&blob, &mut content).unwrap();
    }
    for name in ["demo/mlp:v1", "registry.example/demo/other:v1"] {
        layout.tag_as(&document.descriptor(), name).unwrap();
    }
    let registry = Embedded::over(folder.path());
    let pulled = registry.ask("GET", "/v2/demo/mlp/manifests/v1").is(200);
    assert_eq!(pulled.body, raw.as_bytes());
    let config = Digest::sha256(b"config");
    registry
        .ask("GET", format!("/v2/demo/mlp/blobs/{config}"))
        .is(200);
    // The copy of something elsewhere is none of ours.
    registry.ask("GET", "/v2/demo/other/tags/list").is(404);
    assert_eq!(
        names(folder.path()),
        ["demo/mlp:v1", "registry.example/demo/other:v1"]
    );
}

#[test]
fn collecting_a_served_store_has_to_wait_and_then_keeps_what_is_needed() {
    let folder = TempDir::new().unwrap();
    let mut registry = Embedded::over(folder.path());
    let config = registry.push_blob("a", b"{}");
    let unneeded = registry.push_blob("a", b"unneeded");
    let raw = manifest_of(b"{}", "");
    let digest = Digest::sha256(raw.as_bytes());
    registry
        .push_manifest("a", &digest.to_string(), &raw)
        .is(201);
    let layout = Layout::open(folder.path()).unwrap();
    let refused = layout.gc().unwrap_err();
    assert!(
        matches!(refused, modelctl::Error::Store(StoreError::Busy { .. })),
        "{refused}"
    );
    registry.stop().unwrap();
    layout.gc().unwrap();

    let registry = Embedded::over(folder.path());
    registry
        .ask("GET", format!("/v2/a/manifests/{digest}"))
        .is(200);
    registry.ask("GET", format!("/v2/a/blobs/{config}")).is(200);
    // A record of what is gone counts for nothing, and a push brings it back.
    registry
        .ask("GET", format!("/v2/a/blobs/{unneeded}"))
        .is(404);
    registry.push_blob("a", b"unneeded");
    registry
        .ask("GET", format!("/v2/a/blobs/{unneeded}"))
        .is(200);
}

/// Security row K8.
#[test]
fn broken_store_is_refused_with_its_name() {
    let folder = TempDir::new().unwrap();
    Embedded::over(folder.path()).ask("GET", "/v2/").is(200);
    fs::write(folder.path().join("index.json"), "{").unwrap();
    let refused = Embedded::over(folder.path()).stop().unwrap_err();
    assert!(refused.to_string().contains("index.json"), "{refused}");
    let foreign = TempDir::new().unwrap();
    fs::write(foreign.path().join("thesis.txt"), "").unwrap();
    let refused = Embedded::over(foreign.path()).stop().unwrap_err();
    assert!(refused.to_string().contains("thesis.txt"), "{refused}");
}
