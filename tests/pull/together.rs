//! Pulls that are given up, and several into one folder at a time (security row K5).

use modelctl::materialise::{PullOptions, pull};
use modelctl::model::Role;
use modelctl::oci::media_type;

use super::folder::{expected, pull_to};
use super::limited::Limited;
use crate::support::folder::names;
use crate::support::handmade::{Artifact, Gate, read_tree};

#[tokio::test(flavor = "multi_thread")]
async fn pull_that_is_given_up_leaves_only_its_temporary_folder() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (blobs, document) = Artifact::split_model().finish();
    let gate = Gate::new(blobs.clone());
    let options = PullOptions::default();
    let mut pulling = Box::pin(pull(&gate, &document, &target, &options));
    tokio::select! {
        _ = &mut pulling => panic!("the gate is shut"),
        () = gate.halfway(4) => {}
    }
    drop(pulling);
    // The large shard has come half-way.
    let left = names(folder.path());
    assert!(
        left.len() == 1 && left[0].starts_with(".modelctl-tmp-"),
        "{left:?}"
    );
    pull(&blobs, &document, &target, &options).await.unwrap();
    assert_eq!(names(folder.path()), ["out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_that_is_given_up_before_anything_came_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (blobs, document) = Artifact::split_model().finish();
    let source = Limited::new(&blobs, 0);
    let options = PullOptions::default();
    tokio::select! {
        _ = pull(&source, &document, &target, &options) => panic!("nothing comes"),
        () = source.dry() => {}
    }
    // The last of its threads removes it.
    while !names(folder.path()).is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Security row K5: the second one waits, and then there is nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn k5_two_pulls_into_one_folder_fetch_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let (gate, second) = (Gate::new(blobs.clone()), Limited::endless(&blobs));
    let options = PullOptions::default();
    let first = pull(&gate, &document, &target, &options);
    let waiting = async {
        gate.halfway(4).await;
        let opening = async {
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
            assert_eq!(names(folder.path()).len(), 1);
            gate.open();
        };
        let (pulled, ()) = tokio::join!(pull(&second, &document, &target, &options), opening);
        pulled
    };
    let (first, waited) = tokio::join!(first, waiting);
    assert!(!first.unwrap().in_place);
    assert!(waited.unwrap().in_place);
    assert_eq!(second.opened(), []);
    assert_eq!(read_tree(&target), expected(&artifact));
    assert_eq!(names(folder.path()), ["out"]);
}

/// Two pulls of different artifacts: one after the other, and the last one stands.
#[tokio::test(flavor = "multi_thread")]
async fn pull_of_another_artifact_waits_and_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (blobs, document) = Artifact::split_model().finish();
    let gate = Gate::new(blobs);
    let mut other = Artifact::empty();
    let layer = other.layer(media_type::LAYER_FILE, "new.txt", b"new");
    other.file("new.txt", Role::Other, &[(layer, 0, 3)]);
    let options = PullOptions::default();
    let first = pull(&gate, &document, &target, &options);
    let second = async {
        gate.halfway(4).await;
        gate.open();
        pull_to(&other.finish(), &target, &options).await.unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    first.unwrap();
    let files: Vec<String> = read_tree(&target).into_keys().collect();
    assert_eq!(files, [".modelctl/manifest.json", "new.txt"]);
    assert_eq!(names(folder.path()), ["out"]);
}
