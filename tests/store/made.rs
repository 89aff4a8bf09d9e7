//! A layout that was made for what did not come.

use std::fs;

use modelctl::store::Layout;
use tempfile::TempDir;

use crate::support::folder::names;
use crate::support::parts::{Parts, blob};

#[test]
fn empty_layout_is_taken_back_with_the_folders_above_it() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), b"of the user").unwrap();
    for keeps_blobs in [true, false] {
        let (_, made) = Layout::open_or_make(&folder.path().join("a/b/c")).unwrap();
        made.unwrap().take_back(keeps_blobs).unwrap();
        assert_eq!(names(folder.path()), ["file"]);
    }
}

#[test]
fn layout_that_was_there_is_none_to_take_back() {
    let folder = TempDir::new().unwrap();
    Layout::open_or_create(folder.path()).unwrap();
    let (_, made) = Layout::open_or_make(folder.path()).unwrap();
    assert!(made.is_none());
}

/// What came of a source that may come back is kept, what came of a wrong one is not.
#[test]
fn blobs_without_a_name_are_kept_on_request_only() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("layout");
    let make = || {
        let (layout, made) = Layout::open_or_make(&path).unwrap();
        let (descriptor, bytes) = blob(b"weights");
        layout.put_blob(&descriptor, &mut &bytes[..]).unwrap();
        (layout.blob_path(&descriptor.digest), made.unwrap())
    };
    let (blob, made) = make();
    made.take_back(true).unwrap();
    assert!(blob.exists());
    fs::remove_dir_all(&path).unwrap();
    let (_, made) = make();
    made.take_back(false).unwrap();
    assert!(!path.exists());
}

#[test]
fn layout_that_somebody_uses_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("layout");
    let (layout, made) = Layout::open_or_make(&path).unwrap();
    let hold = layout.hold().unwrap();
    made.unwrap().take_back(false).unwrap();
    assert!(path.join("oci-layout").exists());
    drop(hold);
    fs::remove_dir_all(&path).unwrap();

    let (layout, made) = Layout::open_or_make(&path).unwrap();
    let parts = Parts::new(&[b"weights"]);
    parts.put(&layout);
    layout.tag_as(&parts.root(), "v1").unwrap();
    made.unwrap().take_back(false).unwrap();
    assert!(layout.resolve_name("v1").is_ok());
}
