//! What moves where an earlier version is on this machine: counted at the registry.

use std::sync::Arc;

use modelctl::model::Form;
use modelctl::seed::{self, Seeded, Seeds};
use modelctl::store::{Layout, Storage as _};
use modelctl::transfer::{CopyOptions, copy};
use tokio::io::AsyncReadExt as _;

use super::version::{
    Place, Version, blob_requests, changed, pull_seeded, seeds, sent, target, tensors,
};
use crate::support::transport::anonymous;

/// The kinds of next version of which little may move.
fn next_versions() -> [(&'static str, Version); 4] {
    let mut inserted = tensors();
    inserted.insert(40, ("small.37b".to_owned(), 1000, 7000));
    let mut reordered = tensors();
    reordered.reverse();
    [
        ("changed", Version::new(&changed())),
        ("inserted", Version::new(&inserted)),
        ("reordered", Version::new(&reordered)),
        ("exported again", Version::exported_again(&tensors())),
    ]
}

/// Pulls each kind of next version and asserts that at most 2 % of it moved.
async fn little_moves(place: Place<'_>) {
    for (kind, new) in next_versions() {
        let server = new.server();
        let (_folder, target) = target();
        let saved = pull_seeded(&server, &new, place, &target).await;
        let size = new.model.len() as u64;
        let sent = sent(&server);
        assert!(sent <= size / 50, "{kind}: {sent} of {size} bytes");
        assert_eq!(saved.fetched, sent, "{kind}");
        assert!(saved.reused + sent >= size, "{kind}: {saved:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_version_takes_from_a_pulled_folder_what_has_not_changed() {
    let old = Version::new(&tensors()).folder(Form::Original).await;
    little_moves(Place::Folder(&old.path().join("model"))).await;
}

/// What is said beforehand is what moves, to the byte.
#[tokio::test(flavor = "multi_thread")]
async fn forecast_is_what_a_pull_fetches() {
    let old = Version::new(&tensors());
    let earlier = old.folder(Form::Original).await;
    let same = ("unchanged", Version::new(&tensors()));
    for (kind, new) in next_versions().into_iter().chain([same]) {
        let server = new.server();
        let (_folder, target) = target();
        let place = Place::Folder(&earlier.path().join("model"));
        let saved = pull_seeded(&server, &new, place, &target).await;
        let manifest = new.document().manifest().unwrap();
        let model = Some(&new.plan.model_manifest);
        let forecast = seed::forecast(manifest, model, &old.plan.model_manifest);
        assert_eq!(
            (forecast, forecast),
            (saved.fetched, sent(&server)),
            "{kind}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_version_takes_from_a_split_folder_what_has_not_changed() {
    let old = Version::new(&tensors()).folder(Form::Split).await;
    little_moves(Place::Folder(&old.path().join("model"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn next_version_takes_from_the_store_what_has_not_changed() {
    let old = Version::new(&tensors()).store().await;
    little_moves(Place::Store(old.path())).await;
}

/// The folder that is being replaced is read while the new one is written beside it.
#[tokio::test(flavor = "multi_thread")]
async fn next_version_is_pulled_over_its_own_seed() {
    let old = Version::new(&tensors()).folder(Form::Original).await;
    let folder = old.path().join("model");
    for (kind, new) in next_versions() {
        let server = new.server();
        pull_seeded(&server, &new, Place::Folder(&folder), &folder).await;
        // Each is compared with the one before it: twice as much differs.
        let (sent, size) = (sent(&server), new.model.len() as u64);
        assert!(sent <= size / 25, "{kind}: {sent} of {size} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn next_version_is_copied_into_a_store_that_has_the_last_one() {
    let folder = Version::new(&tensors()).store().await;
    let layout = Layout::open(folder.path()).unwrap();
    let new = Version::new(&changed());
    let server = new.server();
    let seeds = Arc::new(seeds(&server, &new, Place::Store(folder.path())).await);
    let source = Seeded::new(anonymous(&server), Arc::clone(&seeds));
    let copied = copy(&source, &layout, new.document(), &CopyOptions::default()).await;
    assert!(copied.unwrap().skipped > 0);
    assert_eq!(
        layout.blob_size(&new.shard().digest),
        Some(new.shard().size)
    );
    assert!(sent(&server) <= new.model.len() as u64 / 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_version_costs_its_model_manifest_and_config() {
    let version = Version::new(&tensors());
    let old = version.folder(Form::Original).await;
    let server = version.server();
    let (_folder, target) = target();
    let place = Place::Folder(&old.path().join("model"));
    pull_seeded(&server, &version, place, &target).await;
    let requests = blob_requests(&server);
    // The graph layer is not one of the original files.
    assert_eq!(requests.len(), 3, "{requests:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_tensors_beside_each_other_are_one_range() {
    let mut next = tensors();
    for index in [20, 21, 50] {
        next[index].2 += 5000;
    }
    let new = Version::new(&next);
    let old = Version::new(&tensors()).folder(Form::Original).await;
    let server = new.server();
    let (_folder, target) = target();
    let place = Place::Folder(&old.path().join("model"));
    pull_seeded(&server, &new, place, &target).await;
    let shard = new.shard().digest.to_string();
    let requests = blob_requests(&server).into_iter();
    let ranges: Vec<u64> = requests
        .filter_map(|(path, length)| path.ends_with(&shard).then_some(length))
        .collect();
    let tensor = 160_000;
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    assert!(ranges.iter().sum::<u64>() < 3 * tensor + 8192, "{ranges:?}");
}

/// A resumed blob asks for what it lacks: any range comes from the same places.
#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_a_seeded_blob_are_the_bytes_of_the_blob() {
    let new = Version::new(&changed());
    let old = Version::new(&tensors()).folder(Form::Original).await;
    let server = new.server();
    let place = Place::Folder(&old.path().join("model"));
    let seeds: Seeds = seeds(&server, &new, place).await;
    let source = Seeded::new(anonymous(&server), Arc::new(seeds));
    let shard = new.shard();
    let content = server.contents().blobs[&shard.digest.to_string()].clone();
    let size = shard.size;
    for range in [
        1..size - 1,
        0..1,
        5..5,
        3_000_000..7_000_001,
        size / 2..size,
    ] {
        let mut bytes = Vec::new();
        let mut reader = source.fetch_range(&shard, range.clone()).await.unwrap();
        reader.read_to_end(&mut bytes).await.unwrap();
        let expected = &content[range.start as usize..range.end as usize];
        assert!(bytes == expected, "{range:?}");
    }
    assert!(sent(&server) < size / 10);
}
