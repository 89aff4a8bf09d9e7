//! Seeds that rot, lie or lead elsewhere, and registries that do not give ranges: the result is
//! right or an error in any case.

use std::fs;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use modelctl::ErrorKind;
use modelctl::model::Form;
use modelctl::oci::Descriptor;
use modelctl::seed::{Seeded, Seeds};
use modelctl::store::{Storage, error_of_read};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;

use super::version::{
    Place, Version, blob_requests, changed, pull_seeded, seeds, sent, target, tensors,
};
use crate::support::scripted::{Reply, Scripted};
use crate::support::transport::anonymous;

async fn read(source: &impl Storage, blob: &Descriptor) -> modelctl::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = source.fetch(blob).await?;
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error_of_read(error, &blob.digest)),
    }
}

/// Changes bytes of a file, whose length and time of modification stay.
fn corrupt(path: &Path, offset: u64) {
    let times = fs::metadata(path).unwrap().modified().unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"corrupted", offset).unwrap();
    file.set_modified(times).unwrap();
}

/// The folder of the first version.
async fn old_folder() -> (TempDir, std::path::PathBuf) {
    let folder = Version::new(&tensors()).folder(Form::Original).await;
    let path = folder.path().join("model");
    (folder, path)
}

/// The tensor is fetched like one that changed.
#[tokio::test(flavor = "multi_thread")]
async fn corrupted_tensor_of_a_partly_changed_shard_is_fetched() {
    let (_old, folder) = old_folder().await;
    corrupt(&folder.join("model.onnx"), 6_000_000);
    let new = Version::new(&changed());
    let server = new.server();
    let (_folder, target) = target();
    pull_seeded(&server, &new, Place::Folder(&folder), &target).await;
    assert!(sent(&server) <= new.model.len() as u64 / 30);
}

/// That one is found out by the digest of the whole; asked for again it comes from the registry.
#[tokio::test(flavor = "multi_thread")]
async fn corrupted_shard_is_refused_once_and_then_fetched() {
    let (_old, folder) = old_folder().await;
    corrupt(&folder.join("model.onnx"), 6_000_000);
    let version = Version::new(&tensors());
    let server = version.server();
    let seeds = seeds(&server, &version, Place::Folder(&folder)).await;
    let source = Seeded::new(anonymous(&server), Arc::new(seeds));
    let shard = version.shard();
    let error = read(&source, &shard).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let before = sent(&server);
    assert_eq!(
        read(&source, &shard).await.unwrap().len() as u64,
        shard.size
    );
    assert_eq!(sent(&server) - before, shard.size);
}

/// A pull tries once more, and has all of it in the end.
#[tokio::test(flavor = "multi_thread")]
async fn pull_gets_over_a_corrupted_seed() {
    let (_old, folder) = old_folder().await;
    corrupt(&folder.join("model.onnx"), 6_000_000);
    let version = Version::new(&tensors());
    let server = version.server();
    let (_folder, target) = target();
    let saved = pull_seeded(&server, &version, Place::Folder(&folder), &target).await;
    assert!(saved.fetched >= version.shard().size, "{saved:?}");
}

/// A folder that was truncated after it was looked at: the rest comes from the registry.
#[tokio::test(flavor = "multi_thread")]
async fn seed_that_shrinks_is_left_where_it_ends() {
    let (_old, folder) = old_folder().await;
    let new = Version::new(&tensors());
    let server = new.server();
    let seeds = seeds(&server, &new, Place::Folder(&folder)).await;
    let source = Seeded::new(anonymous(&server), Arc::new(seeds));
    let model = fs::File::options()
        .write(true)
        .open(folder.join("model.onnx"));
    model.unwrap().set_len(6_000_000).unwrap();
    let shard = new.shard();
    let bytes = read(&source, &shard).await.unwrap();
    assert_eq!(bytes.len() as u64, shard.size);
    let requests = blob_requests(&server);
    let (_, fetched) = requests.last().unwrap();
    assert!(*fetched < shard.size, "{requests:?}");
    // And one that is gone is none at all.
    fs::remove_dir_all(&folder).unwrap();
    let bytes = read(&source, &shard).await.unwrap();
    assert_eq!(bytes.len() as u64, shard.size);
}

/// A folder whose model manifest promises the digests of the new version over the old files.
#[tokio::test(flavor = "multi_thread")]
async fn folder_that_lies_about_its_files_changes_nothing() {
    let (_old, folder) = old_folder().await;
    let new = Version::new(&changed());
    let lie = new.folder(Form::Original).await;
    let manifest = ".modelctl/manifest.json";
    fs::copy(
        lie.path().join("model").join(manifest),
        folder.join(manifest),
    )
    .unwrap();
    let server = new.server();
    let seeds = seeds(&server, &new, Place::Folder(&folder)).await;
    let source = Seeded::new(anonymous(&server), Arc::new(seeds));
    let layers = &new.document().manifest().unwrap().layers;
    let mut lies = 0;
    for layer in layers {
        let content = server.contents().blobs[&layer.digest.to_string()].clone();
        let bytes = match read(&source, layer).await {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Mismatch);
                lies += 1;
                read(&source, layer).await.unwrap()
            }
            Ok(bytes) => bytes,
        };
        assert!(bytes == content, "{layer:?}");
    }
    assert_eq!(lies, 1);
}

/// A model manifest whose sha256 of a tensor is not that of the blob: the range is refused as it
/// comes, and the blob fetched whole.
#[tokio::test(flavor = "multi_thread")]
async fn fetched_range_is_verified_by_its_own_sha256() {
    let (_old, folder) = old_folder().await;
    let new = Version::new(&changed());
    let mut honest = new.honest();
    let shard = new.shard();
    let tensor = {
        let mut tensors = new.plan.model_manifest.tensors.iter();
        let wanted = tensors.find(|tensor| tensor.name == "small.28").unwrap();
        wanted.clone()
    };
    let content = honest.blobs.get_mut(&shard.digest.to_string()).unwrap();
    content[tensor.offset as usize] ^= 1;
    let server = Scripted::serve(honest, |_| None, None);
    let seeds = seeds(&server, &new, Place::Folder(&folder)).await;
    let source = Seeded::new(anonymous(&server), Arc::new(seeds));
    let error = read(&source, &shard).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let named = tensor.sha256.unwrap().digest().to_string();
    assert!(error.to_string().contains(&named), "{error}");
    // The registry is corrupt: the whole blob is wrong, too.
    let error = read(&source, &shard).await.unwrap_err();
    assert!(
        error.to_string().contains(&shard.digest.to_string()),
        "{error}"
    );
}

/// A registry that answers every range with the whole blob: it is found out by the first one.
#[tokio::test(flavor = "multi_thread")]
async fn registry_that_ignores_ranges_sends_each_shard_whole() {
    let (_old, folder) = old_folder().await;
    let new = Version::new(&changed());
    let blobs = new.honest().blobs;
    let server = Scripted::serve(
        new.honest(),
        move |seen| {
            let digest = seen.path().rsplit('/').next()?;
            let blob = blobs.get(digest)?;
            (seen.method == "GET").then(|| Reply::new(200, blob.clone()))
        },
        None,
    );
    let (_folder, target) = target();
    pull_seeded(&server, &new, Place::Folder(&folder), &target).await;
    let shard = new.shard().digest.to_string();
    let requests = blob_requests(&server);
    let of_shard = requests.iter().filter(|(path, _)| path.ends_with(&shard));
    // The range that showed it, and the blob.
    assert_eq!(of_shard.count(), 2, "{requests:?}");
}

/// Links in a seed, to it and in its place: none is followed.
#[tokio::test(flavor = "multi_thread")]
async fn links_in_a_seed_are_not_followed() {
    let (_old, folder) = old_folder().await;
    let new = Version::new(&tensors());
    let elsewhere = TempDir::new().unwrap();
    fs::rename(folder.join("model.onnx"), elsewhere.path().join("m")).unwrap();
    symlink(elsewhere.path().join("m"), folder.join("model.onnx")).unwrap();
    let server = new.server();
    let (_folder, out) = target();
    let saved = pull_seeded(&server, &new, Place::Folder(&folder), &out).await;
    assert!(saved.reused < 1000, "{saved:?}");
    fs::rename(folder.join(".modelctl"), elsewhere.path().join("own")).unwrap();
    symlink(elsewhere.path().join("own"), folder.join(".modelctl")).unwrap();
    let refused = Seeds::default().add_folder(&folder);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("no model manifest")
    );
}
