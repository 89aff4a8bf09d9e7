//! What an interrupted pull has left is wrong, or hostile: the next one comes to the right end (security
//! row Q34).

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use modelctl::ErrorKind;
use modelctl::materialise::{PullOptions, pull};
use modelctl::model::Role;
use modelctl::oci::media_type;

use super::folder::expected;
use super::limited::Limited;
use super::resume::{interrupted, left};
use crate::support::folder::names;
use crate::support::handmade::{Artifact, noise, read_tree};

/// Every byte of every file of what is left is made wrong, file by file, as a power loss may do that
/// to what was not written to disk yet.
#[tokio::test(flavor = "multi_thread")]
async fn q34_partial_that_is_zeros_is_fetched_again() {
    let mut artifact = Artifact::empty();
    let layer = artifact.layer(media_type::LAYER_WEIGHTS, "w_data_0", &noise(1, 900_000));
    // Some of it stands twice, and some of it in no file.
    artifact.file("a", Role::Weights, &[(layer, 1000, 600_000)]);
    artifact.file("b", Role::Weights, &[(layer, 200_000, 650_000)]);
    let finished = artifact.finish();
    for spoilt in ["new/a", "new/b", "rest"] {
        let folder = tempfile::tempdir().unwrap();
        interrupted(folder.path(), &finished, 800_000).await;
        let file = left(folder.path()).join(spoilt);
        let length = fs::metadata(&file).unwrap().len();
        let opened = fs::File::options().write(true).open(&file).unwrap();
        opened.write_all_at(&vec![0; length as usize], 0).unwrap();
        let source = Limited::endless(&finished.0);
        let target = folder.path().join("out");
        let pulled = pull(&source, &finished.1, &target, &PullOptions::default()).await;
        pulled.unwrap();
        let files = read_tree(&target);
        assert!(files["a"] == artifact.files["a"] && files["b"] == artifact.files["b"]);
        assert_eq!(names(folder.path()), ["out"]);
    }
}

/// Security row Q34: a corrupt partial on disk costs one clean try.
#[tokio::test(flavor = "multi_thread")]
async fn q34_corrupt_partial_on_disk_is_fetched_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = Artifact::split_model();
    let finished = artifact.finish();
    interrupted(folder.path(), &finished, 1_900_000).await;
    // The beginning of the large shard is the end of the file.
    let file = left(folder.path()).join("new/model.onnx");
    let opened = fs::File::options().write(true).open(file).unwrap();
    opened.write_all_at(b"corrupt", 1_420_000).unwrap();

    let source = Limited::endless(&finished.0);
    let target = folder.path().join("out");
    let pulled = pull(&source, &finished.1, &target, &PullOptions::default()).await;
    assert_eq!(read_tree(&target), expected(&artifact));
    let shard = artifact.model.layers[1].digest;
    let mut asked = source.opened();
    asked.retain(|(digest, _)| *digest == shard);
    assert_eq!(asked.len(), 2);
    assert!(asked[0].1.start > 0);
    assert_eq!(asked[1].1, 0..2_500_000);
    // What was wrong does not count as saved.
    assert!(pulled.unwrap().resumed < 1_000_000);
}

/// Security row Q34: wrong bytes twice are an error, and nothing is left of them.
#[tokio::test(flavor = "multi_thread")]
async fn q34_source_that_is_wrong_twice_is_refused() {
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let shard = artifact.model.layers[1].digest;
    for (times, tries) in [(1, 2), (2, 2), (9, 2)] {
        let folder = tempfile::tempdir().unwrap();
        let source = Limited::endless(&blobs);
        source.lie(shard, vec![0; 2_500_000], times);
        let target = folder.path().join("out");
        let pulled = pull(&source, &document, &target, &PullOptions::default()).await;
        let mut asked = source.opened();
        asked.retain(|(digest, _)| *digest == shard);
        assert_eq!(asked.len(), tries);
        match times {
            1 => assert_eq!(read_tree(&target), expected(&artifact)),
            _ => {
                let error = pulled.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Mismatch);
                assert!(error.to_string().contains(&shard.to_string()), "{error}");
                assert_eq!(names(folder.path()), Vec::<String>::new());
            }
        }
    }
}

/// Whatever stands in the folder that a pull finds, it comes to the same end, and nothing outside is
/// touched.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_leftovers_change_nothing() {
    let finished = Artifact::split_model().finish();
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().join("mine");
    let put = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    let spoils: [&dyn Fn(&Path); 10] = [
        &|left| put(&left.join("journal"), &noise(1, 40)),
        &|left| put(&left.join("journal"), &[]),
        &|left| put(&left.join("journal"), &noise(2, 1 << 20)),
        &|left| {
            let mut bytes = fs::read(left.join("journal")).unwrap();
            bytes[40..].fill(0xff);
            put(&left.join("journal"), &bytes);
        },
        &|left| {
            // Everything is said to be there.
            let mut bytes = fs::read(left.join("journal")).unwrap();
            let shard = bytes[40..].chunks(8).position(|slot| slot[2] > 0).unwrap();
            bytes[40 + 8 * shard..][..8].copy_from_slice(&2_500_000_u64.to_le_bytes());
            put(&left.join("journal"), &bytes);
        },
        &|left| put(&left.join("new/stray"), b"stray"),
        &|left| fs::create_dir(left.join("new/empty folder")).unwrap(),
        &|left| {
            fs::remove_file(left.join("new/run.sh")).unwrap();
            fs::hard_link(&outside, left.join("new/run.sh")).unwrap();
        },
        &|left| {
            fs::remove_file(left.join("new/run.sh")).unwrap();
            std::os::unix::fs::symlink(&outside, left.join("new/run.sh")).unwrap();
        },
        &|left| {
            fs::remove_file(left.join("rest")).unwrap();
            std::os::unix::fs::symlink(&outside, left.join("rest")).unwrap();
        },
    ];
    for (index, spoil) in spoils.into_iter().enumerate() {
        put(&outside, b"mine");
        let folder = tempfile::tempdir_in(outside.parent().unwrap()).unwrap();
        interrupted(folder.path(), &finished, 1_900_000).await;
        spoil(&left(folder.path()));
        let target = folder.path().join("out");
        let pulled = pull(&finished.0, &finished.1, &target, &PullOptions::default()).await;
        pulled.unwrap();
        assert_eq!(
            read_tree(&target),
            expected(&Artifact::split_model()),
            "{index}"
        );
        assert_eq!(names(folder.path()), ["out"]);
        assert_eq!(fs::read(&outside).unwrap(), b"mine");
    }
}
