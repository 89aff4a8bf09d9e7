//! A damaged layout gives a named error, and `repair` makes it sound (security row K8).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use modelctl::ErrorKind;
use modelctl::store::{Layout, StoreError};
use tempfile::TempDir;

use crate::support::parts::Parts;

/// A layout with two named artifacts and a referrer of the first.
fn layout() -> (TempDir, Layout, [Parts; 3]) {
    let folder = TempDir::new().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("store")).unwrap();
    let (first, second) = (Parts::new(&[b"first"]), Parts::new(&[b"second"]));
    let signature = Parts::with_subject(&[b"signature"], Some(first.root()));
    for parts in [&first, &second, &signature] {
        parts.put(&layout);
    }
    layout.tag_as(&first.root(), "demo/first:v1").unwrap();
    layout.tag_as(&second.root(), "demo/second:v1").unwrap();
    (folder, layout, [first, second, signature])
}

#[test]
fn sound_layout_is_left_alone() {
    let (_folder, layout, _) = layout();
    let before = fs::read(layout.root().join("index.json")).unwrap();
    let report = Layout::repair(layout.root()).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.checked, 7);
    assert_eq!(fs::read(layout.root().join("index.json")).unwrap(), before);
}

#[test]
fn index_truncated_anywhere_is_a_named_error_and_is_rebuilt() {
    let (_folder, layout, parts) = layout();
    let path = layout.root().join("index.json");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = layout.resolve_name("demo/first:v1").unwrap_err();
        assert!(error.to_string().contains("index.json`"), "{error}");
        assert!(layout.tag_as(&parts[0].root(), "x").is_err());
        assert!(layout.gc().is_err(), "gc ran on a broken index");
        // Each repair waits for the disk several times; what it makes of each cut is a unit test.
        if length % 32 != 0 {
            continue;
        }
        let report = Layout::repair(layout.root()).unwrap();
        assert!(report.index_rebuilt && report.missing.is_empty());
        let entries = layout.entries().unwrap();
        for parts in &parts {
            let digest = parts.root().digest;
            let listed = entries.iter().filter(|it| it.manifest.digest == digest);
            assert_eq!(listed.count(), 1, "truncated at {length}");
        }
        assert_eq!(layout.gc().unwrap(), Default::default());
    }
}

#[test]
fn names_that_can_still_be_read_are_kept() {
    let (_folder, layout, parts) = layout();
    let path = layout.root().join("index.json");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 2]).unwrap();
    Layout::repair(layout.root()).unwrap();
    let found = layout.resolve_name("demo/second:v1").unwrap();
    assert_eq!(found.digest, parts[1].root().digest);
}

#[test]
fn missing_index_and_marker_come_back() {
    let (_folder, layout, _) = layout();
    for name in ["oci-layout", "index.json"] {
        fs::remove_file(layout.root().join(name)).unwrap();
    }
    assert!(Layout::open(layout.root()).is_err());
    let report = Layout::repair(layout.root()).unwrap();
    assert!(report.marker_rewritten && report.index_rebuilt);
    let entries = Layout::open(layout.root()).unwrap().entries().unwrap();
    assert_eq!(entries.len(), 3);
}

#[test]
fn broken_marker_is_a_named_error() {
    let (_folder, layout, _) = layout();
    let marker = layout.root().join("oci-layout");
    for text in ["", "{", "{}", r#"{"imageLayoutVersion":"2.0.0"}"#] {
        fs::write(&marker, text).unwrap();
        let error = Layout::open(layout.root()).unwrap_err();
        assert!(matches!(error, StoreError::Layout { .. }), "{error}");
        assert!(error.to_string().contains("oci-layout`"), "{error}");
        Layout::repair(layout.root()).unwrap();
        Layout::open(layout.root()).unwrap();
    }
}

/// Security row A35: flipped, cut short, zeros after a power loss, swapped, a link.
#[test]
fn corrupt_blobs_are_removed_and_named() {
    let (folder, layout, parts) = layout();
    let (layer, manifest) = (parts[0].0[0].0.clone(), parts[1].root());
    let path = layout.blob_path(&layer.digest);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&path, "fi\0\0\0").unwrap();
    let signature = layout.blob_path(&parts[2].0[0].0.digest);
    fs::remove_file(&signature).unwrap();
    let outside = folder.path().join("outside");
    fs::write(&outside, "signature").unwrap();
    std::os::unix::fs::symlink(&outside, &signature).unwrap();
    let path = layout.blob_path(&manifest.digest);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path, "").unwrap();

    let report = Layout::repair(layout.root()).unwrap();
    let mut lost = vec![layer.digest, parts[2].0[0].0.digest];
    lost.sort();
    assert_eq!(report.missing, lost);
    lost.push(manifest.digest);
    lost.sort();
    assert_eq!(report.corrupt, lost);
    assert_eq!(report.dropped.len(), 1);
    assert_eq!(report.dropped[0].name.as_deref(), Some("demo/second:v1"));
    assert!(!report.index_rebuilt);
    assert!(outside.exists());

    // What was lost can be pulled again.
    parts[0].put(&layout);
    parts[2].put(&layout);
    let report = Layout::repair(layout.root()).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn folder_without_blobs_is_not_repaired() {
    let folder = TempDir::new().unwrap();
    let error = Layout::repair(folder.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
