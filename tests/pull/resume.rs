//! Pulls that were given up, and what the next one makes of what they have left.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use modelctl::materialise::{PullOptions, PullReport, pull};
use modelctl::oci::Document;
use modelctl::transfer::Jobs;
use modelctl::{ErrorKind, Result};

use super::folder::{expected, tangled};
use super::limited::Limited;
use crate::support::folder::names;
use crate::support::handmade::{Artifact, Blobs, noise, read_tree};
use crate::support::scripted::{Content, Honest, Reply, Scripted};
use crate::support::transport::{options as patient, with};

/// What may get lost of each blob in flight when a pull ends: what has not filled a buffer.
const CHUNK: u64 = 256 * 1024;

/// Pulls until the source has given all that it gives; `None` if that was not all.
async fn pull_until_dry(
    source: &Limited,
    document: &Document,
    target: &Path,
    options: &PullOptions,
) -> Option<Result<PullReport>> {
    tokio::select! {
        biased;
        report = pull(source, document, target, options) => Some(report),
        () = source.dry() => None,
    }
}

/// The folder that a pull has left, where it waits for the next one.
pub(super) fn left(root: &Path) -> PathBuf {
    let names = names(root);
    assert!(
        names.len() == 1 && names[0].starts_with(".modelctl-tmp-"),
        "{names:?}"
    );
    root.join(&names[0])
}

/// Waits until nobody holds the lock of a folder: what was under way is written.
async fn ended_threads(folder: &Path) {
    let folder = fs::File::open(folder).unwrap();
    while folder.try_lock().is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Interrupts a pull of the artifact into `out` after so many bytes.
pub(super) async fn interrupted(root: &Path, (blobs, document): &(Blobs, Document), bytes: u64) {
    let source = Limited::new(blobs, bytes);
    let options = PullOptions::default();
    let ended = pull_until_dry(&source, document, &root.join("out"), &options).await;
    assert!(ended.is_none());
    ended_threads(&left(root)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_pull_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    interrupted(folder.path(), &(blobs.clone(), document.clone()), 1_900_000).await;

    let source = Limited::endless(&blobs);
    let target = folder.path().join("out");
    let report = pull(&source, &document, &target, &PullOptions::default())
        .await
        .unwrap();
    assert_eq!(read_tree(&target), expected(&artifact));
    assert_eq!(names(folder.path()), ["out"]);
    let layers: u64 = artifact.layers.iter().map(|layer| layer.size).sum();
    let config = 2;
    assert_eq!(report.fetched + report.resumed, layers + config);
    assert_eq!(report.fetched, source.served());
    assert!(report.resumed >= 1_900_000 - 4 * CHUNK, "{report:?}");
    // The large shard was begun, and its beginning is not asked for again.
    let shard = artifact.model.layers[1].digest;
    let asked = source.opened();
    let (_, range) = asked.iter().find(|(digest, _)| *digest == shard).unwrap();
    assert!(
        range.start > 1_000_000 && range.end == 2_500_000,
        "{range:?}"
    );
}

/// Extents of any kind, and interruptions at any byte: what came once does not come again.
#[tokio::test(flavor = "multi_thread")]
async fn pull_that_is_interrupted_again_and_again_comes_to_its_end() {
    for seed in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let artifact = tangled(seed);
        let (blobs, document) = artifact.finish();
        let options = PullOptions {
            jobs: Jobs::Fixed(2),
            ..PullOptions::default()
        };
        let mut budgets = noise(seed + 50, 1000).into_iter();
        let (mut served, mut interruptions) = (0, 0);
        loop {
            let budget = u64::from(budgets.next().unwrap()) * 8000;
            let source = Limited::new(&blobs, budget);
            let ended = pull_until_dry(&source, &document, &target, &options).await;
            served += source.served();
            if let Some(report) = ended {
                report.unwrap();
                break;
            }
            assert!(!target.exists());
            interruptions += 1;
        }
        let mut files = artifact.files.clone();
        let mark = ".modelctl/manifest.json".to_owned();
        files.insert(mark, artifact.model.to_bytes());
        assert!(read_tree(&target) == files, "seed {seed}");
        assert_eq!(names(folder.path()), ["out"]);
        let layers: u64 = artifact.layers.iter().map(|layer| layer.size).sum();
        let most = layers + 2 + interruptions * 2 * CHUNK;
        assert!(
            served <= most,
            "{served} bytes of {layers}, {interruptions} interruptions"
        );
    }
}

/// What another artifact, or the same one asked for otherwise, has left is thrown away.
#[tokio::test(flavor = "multi_thread")]
async fn leftover_of_another_pull_is_thrown_away() {
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let mut other = Artifact::split_model();
    other.model.tests[0].rtol = 0.5;
    let other = other.finish();
    let bare = PullOptions {
        bare: true,
        ..PullOptions::default()
    };
    for (source, options) in [
        (&other, PullOptions::default()),
        (&(blobs.clone(), document.clone()), bare),
    ] {
        let folder = tempfile::tempdir().unwrap();
        interrupted(folder.path(), &(blobs.clone(), document.clone()), 1_900_000).await;
        let target = folder.path().join("out");
        let report = pull(&source.0, &source.1, &target, &options).await.unwrap();
        assert_eq!(report.resumed, 0);
        assert_eq!(names(folder.path()), ["out"]);
    }
}

/// A registry that goes away in the middle: what came is kept for when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn pull_from_a_registry_that_went_away_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let registry = |is_broken: bool| {
        let mut honest = Honest::default();
        for bytes in blobs.0.values() {
            honest.blob(bytes);
        }
        let shard = artifact.model.layers[1].digest;
        let bytes = blobs.0[&shard].clone();
        let script = move |seen: &crate::support::scripted::Seen| {
            if !is_broken || !seen.path().ends_with(&shard.to_string()) {
                return None;
            }
            // A part comes once, and then nothing.
            Some(match seen.header("range") {
                None => Reply::new(200, "").content(Content::Claimed(
                    bytes.len() as u64,
                    bytes[..1_000_000].to_vec(),
                )),
                Some(_) => Reply::new(503, "away"),
            })
        };
        Scripted::serve(honest, script, None)
    };
    let options = PullOptions::default();
    let broken = registry(true);
    let pulled = pull(&with(patient(), &broken), &document, &target, &options).await;
    assert_eq!(pulled.unwrap_err().kind(), ErrorKind::Unavailable);
    left(folder.path());

    let back = registry(false);
    let report = pull(&with(patient(), &back), &document, &target, &options)
        .await
        .unwrap();
    assert!(report.resumed > 500_000, "{report:?}");
    assert_eq!(read_tree(&target), expected(&artifact));
    assert_eq!(names(folder.path()), ["out"]);

    // Where nothing has come, there is nothing to keep.
    drop(back);
    let other = folder.path().join("other");
    let nothing = Scripted::start(|seen| {
        seen.path()
            .contains("/blobs/")
            .then(|| Reply::new(503, "away"))
    });
    let pulled = pull(&with(patient(), &nothing), &document, &other, &options).await;
    assert_eq!(pulled.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(names(folder.path()), ["out"]);
}

/// What is complete costs nothing the second time.
#[tokio::test(flavor = "multi_thread")]
async fn pull_of_what_is_in_place_fetches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let (blobs, document) = Artifact::split_model().finish();
    for bare in [true, false] {
        let options = PullOptions {
            bare,
            force: true,
            ..PullOptions::default()
        };
        let source = Limited::endless(&blobs);
        let first = pull(&source, &document, &target, &options).await.unwrap();
        assert!(!first.in_place && first.fetched > 0);
        let source = Limited::endless(&blobs);
        let again = pull(&source, &document, &target, &options).await.unwrap();
        assert!(again.in_place);
        assert_eq!((again.fetched, again.resumed), (0, 0));
        assert_eq!((again.files, again.size), (first.files, first.size));
        assert_eq!(again.directory.is_some(), !bare);
        assert_eq!(source.opened(), []);
        // A byte that has changed is found.
        let file = fs::File::options()
            .write(true)
            .open(target.join("run.sh"))
            .unwrap();
        file.write_all_at(b"X", 7).unwrap();
        let mended = pull(&source, &document, &target, &options).await.unwrap();
        assert!(!mended.in_place);
        assert_eq!(names(folder.path()), ["out"]);
    }
}
