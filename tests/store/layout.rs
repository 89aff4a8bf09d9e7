//! A layout on disk: its files, its names, and what a hostile one can do.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use modelctl::oci::{Descriptor, Digest, Reference, media_type};
use modelctl::store::{Layout, Referrers as _, Storage as _, StoreError, Tags as _};
use modelctl::{Error, ErrorKind};
use tempfile::TempDir;

use crate::support::folder::names;
use crate::support::parts::{Parts, blob};

fn layout() -> (TempDir, Layout) {
    let folder = TempDir::new().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("store")).unwrap();
    (folder, layout)
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

#[test]
fn blobs_are_read_only_files_of_their_own() {
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(b"weights");
    layout.put_blob(&descriptor, &mut &bytes[..]).unwrap();
    let path = layout.blob_path(&descriptor.digest);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o444);
    assert_eq!(metadata.nlink(), 1);
    assert_eq!(fs::read(path).unwrap(), bytes);
}

#[tokio::test]
async fn names_are_full_references_and_move() {
    let (_folder, layout) = layout();
    let (first, second) = (Parts::new(&[b"1"]), Parts::new(&[b"2"]));
    first.put(&layout);
    second.put(&layout);
    let name = reference("127.0.0.1:5000/demo/mlp:v1");
    layout.tag(&first.root(), &name).await.unwrap();
    assert_eq!(
        layout.resolve(&name).await.unwrap().digest(),
        first.root().digest
    );
    layout.tag(&second.root(), &name).await.unwrap();
    assert_eq!(
        layout.resolve_name(&name.to_string()).unwrap().digest,
        second.root().digest
    );
    assert_eq!(layout.entries().unwrap().len(), 1);
    let other = layout.resolve(&reference("demo/mlp:v1")).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::NotFound);
    assert!(other.to_string().contains("`demo/mlp:v1` not found in"));
    let pinned = name.clone().with_digest(first.root().digest);
    assert_eq!(layout.resolve(&pinned).await.unwrap(), first.document());
    assert_eq!(
        layout.untag(&name.to_string()).unwrap().digest,
        second.root().digest
    );
    assert!(layout.untag(&name.to_string()).is_err());
}

#[test]
fn name_never_leads_to_something_incomplete() {
    let (_folder, layout) = layout();
    let parts = Parts::new(&[b"here", b"not here"]);
    for part in [0, 2, 3] {
        let (descriptor, bytes) = &parts.0[part];
        layout.put_blob(descriptor, &mut bytes.as_slice()).unwrap();
    }
    let error = layout.tag_as(&parts.root(), "v1").unwrap_err();
    assert!(error.to_string().contains(&parts.0[1].0.digest.to_string()));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(layout.entries().unwrap().is_empty());
}

#[tokio::test]
async fn referrers_are_listed_without_a_name() {
    let (_folder, layout) = layout();
    let model = Parts::new(&[b"model"]);
    let signature = Parts::with_subject(&[b"signature"], Some(model.root()));
    model.put(&layout);
    signature.put(&layout);
    let found = layout.referrers(&model.root().digest).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest, signature.root().digest);
    let artifact_type = found[0].artifact_type.as_deref();
    assert_eq!(artifact_type, Some("application/vnd.example.v1"));
    // A name that comes and goes does not make it lost.
    layout.tag_as(&signature.root(), "signature").unwrap();
    layout.untag("signature").unwrap();
    assert_eq!(layout.referrers(&model.root().digest).await.unwrap(), found);
}

/// A manifest's own annotations must not become a name in the index.
#[test]
fn referrer_cannot_name_itself() {
    let (_folder, layout) = layout();
    let text = format!(
        r#"{{"schemaVersion":2,"config":{0},"layers":[],"subject":{0},"annotations":{{"org.opencontainers.image.ref.name":"demo/mlp:v1"}}}}"#,
        serde_json::to_string(&Descriptor::of("a/b", b"{}")).unwrap()
    );
    let descriptor = Descriptor::of(media_type::MANIFEST, text.as_bytes());
    layout.put_blob(&descriptor, &mut text.as_bytes()).unwrap();
    assert_eq!(layout.entries().unwrap().len(), 1);
    assert!(layout.resolve_name("demo/mlp:v1").is_err());
}

#[test]
fn layout_of_other_tools_is_read_without_writing() {
    let folder = TempDir::new().unwrap();
    let parts = Parts::new(&[b"layer"]);
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for (descriptor, bytes) in &parts.0 {
        fs::write(blobs.join(descriptor.digest.hex()), bytes).unwrap();
    }
    let entry = |name: &str| {
        let mut entry = serde_json::to_value(parts.root()).unwrap();
        entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": name});
        entry["x-unknown"] = 1.into();
        entry
    };
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [entry("v1")], "x": {}});
    fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
    let marker = "{\"imageLayoutVersion\": \"1.0.0\", \"x\": 1}\n";
    fs::write(folder.path().join("oci-layout"), marker).unwrap();
    fs::write(folder.path().join("README"), "unknown files are tolerated").unwrap();
    let before = names(folder.path());
    let layout = Layout::open(folder.path()).unwrap();
    let found = layout.resolve_name("v1").unwrap();
    assert_eq!(layout.resolve_only().unwrap(), found);
    assert_eq!(
        layout.read_document(&found.digest, None).unwrap(),
        parts.document()
    );
    assert_eq!(names(folder.path()), before);
}

#[test]
fn folder_of_something_else_is_never_turned_into_a_layout() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let error = Layout::open_or_create(folder.path()).unwrap_err();
    assert!(error.to_string().contains("thesis.tex"), "{error}");
    assert_eq!(names(folder.path()), ["thesis.tex"]);
    let error = Layout::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// Security row A03: the corpus of A01 through `index.json`.
#[test]
fn hostile_index_is_refused_and_names_no_path() {
    let (folder, layout) = layout();
    let hex = Digest::sha256(b"").hex();
    let outside = folder.path().join("outside");
    fs::write(&outside, "secret").unwrap();
    for digest in [
        "sha256:../../../outside".to_owned(),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}0"),
        format!("sha256:{}", hex.to_uppercase()),
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
        format!("../sha256:{hex}"),
        "sha256:".to_owned(),
        String::new(),
    ] {
        let manifest = serde_json::json!({
            "mediaType": media_type::MANIFEST, "digest": digest, "size": 6,
            "annotations": {"org.opencontainers.image.ref.name": "v1"}
        });
        let index = serde_json::json!({"schemaVersion": 2, "manifests": [manifest]});
        fs::write(layout.root().join("index.json"), index.to_string()).unwrap();
        for error in [
            layout.resolve_name("v1").unwrap_err(),
            layout.untag("v1").unwrap_err(),
            layout.entries().unwrap_err(),
        ] {
            assert!(error.to_string().contains("index.json`: "), "{error}");
            assert!(matches!(error, StoreError::Layout { .. }), "{error}");
        }
        assert!(layout.gc().is_err());
        let report = Layout::repair(layout.root()).unwrap();
        assert!(report.index_rebuilt);
        assert_eq!(fs::read_to_string(&outside).unwrap(), "secret");
    }
}

/// Security row A03: a layout that someone else made may hold anything under a blob's name.
#[tokio::test]
async fn blob_that_is_not_a_regular_file_is_refused() {
    let (folder, layout) = layout();
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let linked = Descriptor::of(media_type::OCTET_STREAM, b"secret");
    symlink(&secret, layout.blob_path(&linked.digest)).unwrap();
    let in_place_of_folder = Descriptor::of(media_type::OCTET_STREAM, b"folder");
    fs::create_dir(layout.blob_path(&in_place_of_folder.digest)).unwrap();
    let fifo = Descriptor::of(media_type::OCTET_STREAM, b"fifo");
    let status = std::process::Command::new("mkfifo")
        .arg(layout.blob_path(&fifo.digest))
        .status();
    assert!(status.unwrap().success());
    for blob in [linked, in_place_of_folder, fifo] {
        assert!(!layout.exists(&blob).await.unwrap());
        assert!(layout.fetch(&blob).await.is_err());
    }
}

/// Security row A35: what lies in the store is checked whenever it is read as a whole.
#[tokio::test]
async fn flipped_byte_is_found_when_the_blob_is_fetched() {
    let (_folder, layout) = layout();
    let parts = Parts::new(&[&[7; 5000]]);
    parts.put(&layout);
    let (layer, bytes) = &parts.0[0];
    let mut flipped = bytes.clone();
    flipped[2500] ^= 1;
    let path = layout.blob_path(&layer.digest);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    for (content, expected) in [
        (&flipped[..], "got content with digest"),
        (&bytes[..4999], "got 4999 bytes, expected 5000"),
        (
            &[&bytes[..], b"x"].concat(),
            "got 5001 bytes, expected 5000",
        ),
    ] {
        fs::write(&path, content).unwrap();
        let error = crate::store::contract::read(&layout, layer)
            .await
            .unwrap_err();
        let named = format!("blob `{}`: {expected}", layer.digest);
        assert!(error.to_string().contains(&named), "{error}");
    }
}

#[test]
fn document_larger_than_4_mib_is_not_read() {
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(&vec![b' '; 4 * 1024 * 1024 + 1]);
    layout.put_blob(&descriptor, &mut &bytes[..]).unwrap();
    let error = layout.read_document(&descriptor.digest, None).unwrap_err();
    let Error::Store(StoreError::Limit { got, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(got, 4 * 1024 * 1024 + 1);
}
