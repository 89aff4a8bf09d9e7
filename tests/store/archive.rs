//! Archives: written deterministically and read without unpacking.

use std::fs;

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, media_type};
use modelctl::store::{Archive, Graph, Layout, Memory, Referrers as _, Storage as _};
use modelctl::transfer::{CopyOptions, copy};
use tempfile::TempDir;

use crate::support::parts::Parts;

/// An artifact with a signature in memory.
async fn source() -> (Memory, Parts, Parts) {
    let store = Memory::new();
    let model = Parts::new(&[b"weights", &[9; 100_000], b""]);
    let signature = Parts::with_subject(&[b"signature"], Some(model.root()));
    model.push(&store).await;
    signature.push(&store).await;
    (store, model, signature)
}

#[tokio::test]
async fn archive_gives_back_what_was_written() {
    let folder = TempDir::new().unwrap();
    let (store, model, signature) = source().await;
    let path = folder.path().join("model.tar");
    let graph = Graph::walk_with_referrers(&store, &model.document()).await;
    let graph = graph.unwrap();
    Archive::write(
        &path,
        &store,
        &graph,
        &[(graph.root().descriptor.digest, "v1".to_owned())],
    )
    .await
    .unwrap();

    let archive = Archive::open(&path).unwrap();
    assert_eq!(
        archive.resolve_name("v1").unwrap().digest,
        model.root().digest
    );
    assert_eq!(archive.resolve_only().unwrap().digest, model.root().digest);
    for (blob, bytes) in model.0.iter().chain(&signature.0) {
        assert!(archive.exists(blob).await.unwrap());
        assert_eq!(
            &crate::store::contract::read(&archive, blob).await.unwrap(),
            bytes
        );
    }
    let found = archive.referrers(&model.root().digest).await.unwrap();
    assert_eq!(found[0].digest, signature.root().digest);

    let layout = Layout::open_or_create(&folder.path().join("layout")).unwrap();
    let options = CopyOptions {
        referrers: true,
        ..CopyOptions::default()
    };
    let report = copy(&archive, &layout, &model.document(), &options)
        .await
        .unwrap();
    assert_eq!((report.copied, report.referrers), (7, 1));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "a temporary file is left"
    );
}

#[tokio::test]
async fn same_artifact_gives_the_same_archive() {
    let folder = TempDir::new().unwrap();
    let (store, model, _) = source().await;
    let graph = Graph::walk(&store, &model.document()).await.unwrap();
    let (first, second) = (folder.path().join("1.tar"), folder.path().join("2.tar"));
    Archive::write(
        &first,
        &store,
        &graph,
        &[(graph.root().descriptor.digest, "v1".to_owned())],
    )
    .await
    .unwrap();
    let mut shuffled = graph.clone();
    shuffled.blobs.reverse();
    fs::write(&second, "an earlier file").unwrap();
    Archive::write(
        &second,
        &store,
        &shuffled,
        &[(graph.root().descriptor.digest, "v1".to_owned())],
    )
    .await
    .unwrap();
    assert!(fs::read(first).unwrap() == fs::read(second).unwrap());
}

#[tokio::test]
async fn nothing_is_written_when_the_source_fails() {
    let folder = TempDir::new().unwrap();
    let (store, model, _) = source().await;
    let graph = Graph::walk(&store, &model.document()).await.unwrap();
    let path = folder.path().join("model.tar");
    let empty = Memory::new();
    let error = Archive::write(&path, &empty, &graph, &[])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Security row A35, in an archive.
#[tokio::test]
async fn flipped_byte_is_found_when_the_blob_is_fetched() {
    let folder = TempDir::new().unwrap();
    let (store, model, _) = source().await;
    let graph = Graph::walk(&store, &model.document()).await.unwrap();
    let path = folder.path().join("model.tar");
    Archive::write(&path, &store, &graph, &[]).await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(7).position(|window| window == b"weights");
    bytes[at.unwrap()] ^= 1;
    fs::write(&path, bytes).unwrap();
    let archive = Archive::open(&path).unwrap();
    let error = crate::store::contract::read(&archive, &model.0[0].0).await;
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("got content with digest")
    );
}

#[tokio::test]
async fn archive_is_not_added_to() {
    let folder = TempDir::new().unwrap();
    let (store, model, _) = source().await;
    let graph = Graph::walk(&store, &model.document()).await.unwrap();
    let path = folder.path().join("model.tar");
    Archive::write(&path, &store, &graph, &[]).await.unwrap();
    let archive = Archive::open(&path).unwrap();
    let blob = Descriptor::of(media_type::OCTET_STREAM, b"more");
    assert!(archive.push(&blob, &b"more".to_vec()).await.is_err());
}
