//! Graphs without end: indexes in indexes, and what refers to what refers (security rows A26, A37).

use modelctl::ErrorKind;
use modelctl::oci::Document;
use modelctl::store::{Graph, Layout, Memory, Storage as _};
use modelctl::transfer::{CopyOptions, copy};
use tempfile::TempDir;

use crate::support::parts::Parts;
use crate::support::plans::chain;

/// Security rows A26 and A37: what a hostile source can make us follow is bounded.
#[tokio::test]
async fn hostile_graphs_are_bounded() {
    let nest = |inner: &Document| {
        Document::from_index(modelctl::oci::Index::new(vec![inner.descriptor()]))
    };
    let store = Memory::new();
    let parts = Parts::new(&[]);
    parts.push(&store).await;
    let mut root = parts.document();
    for depth in 1..=5 {
        root = nest(&root);
        store
            .push(&root.descriptor(), &root.raw().to_vec())
            .await
            .unwrap();
        let walked = Graph::walk(&store, &root).await;
        assert_eq!(walked.is_ok(), depth <= 4, "{depth}");
    }
    let error = Graph::walk(&store, &root).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("5 levels of indexes are more than the limit of 4")
    );

    let mut manifests = Vec::new();
    for number in 0..1025 {
        let parts = Parts::new(&[format!("{number}").as_bytes()]);
        let (manifest, bytes) = parts.0.last().unwrap();
        store.push(manifest, bytes).await.unwrap();
        manifests.push(manifest.clone());
    }
    let wide = Document::from_index(modelctl::oci::Index::new(manifests));
    let error = Graph::walk(&store, &wide).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("manifests are more than the limit of 1024")
    );
}

/// Security row A26: a chain of referrers, each of which refers to the one before.
#[tokio::test]
async fn endless_chain_of_referrers_is_given_up() {
    let folder = TempDir::new().unwrap();
    let source = Memory::new();
    let model = Parts::new(&[b"model"]);
    model.push(&source).await;
    let mut last = model.root();
    for _ in 0..1024 {
        let referrer = Parts::with_subject(&[], Some(last));
        referrer.push(&source).await;
        last = referrer.root();
    }
    let sink = Layout::open_or_create(&folder.path().join("sink")).unwrap();
    let options = CopyOptions {
        referrers: true,
        ..CopyOptions::default()
    };
    let error = copy(&source, &sink, &model.document(), &options).await;
    let error = error.unwrap_err();
    let text = chain(&error);
    assert!(
        text.ends_with("1025 manifests are more than the limit of 1024"),
        "{text}"
    );
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(sink.blobs().unwrap().is_empty());
}
