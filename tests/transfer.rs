//! A copy between two stores: what arrives, in which order, and whose fault it is when it does not.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelctl::oci::{Descriptor, Digest, media_type};
use modelctl::store::{
    BlobSource, Layout, Memory, Progress, Referrers, Storage, WithProgress, read_error,
};
use modelctl::transfer::{CopyOptions, Jobs, copy};
use modelctl::{Error, ErrorKind, Result};
use tempfile::TempDir;

use crate::support::parts::{Parts, index};

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn copy_brings_everything_and_nothing_twice() {
    let (source, sink) = (Memory::new(), Memory::new());
    let parts = Parts::new(&[b"one", b"two", b"one"]);
    parts.push(&source).await;
    let options = CopyOptions::default();
    let report = copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap();
    assert_eq!((report.copied, report.skipped), (4, 0));
    assert_eq!(report.bytes, 3 + 3 + 2 + parts.root().size);
    assert_eq!(sink.len(), source.len());
    let report = copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap();
    assert_eq!((report.copied, report.skipped, report.bytes), (0, 4, 0));
}

#[tokio::test]
async fn copy_follows_indexes_and_referrers() {
    let folder = TempDir::new().unwrap();
    let source = Layout::open_or_create(&folder.path().join("a")).unwrap();
    let sink = Layout::open_or_create(&folder.path().join("b")).unwrap();
    let (arm, amd) = (Parts::new(&[b"arm"]), Parts::new(&[b"amd"]));
    let signature = Parts::with_subject(&[b"signature"], Some(arm.root()));
    let counter = Parts::with_subject(&[b"counter"], Some(signature.root()));
    for parts in [&arm, &amd, &signature, &counter] {
        parts.put(&source);
    }
    let root = index(&[&arm, &amd]);
    source
        .put_blob(&root.descriptor(), &mut root.raw())
        .unwrap();
    let mut options = CopyOptions::default();
    let report = copy(&source, &sink, &root, &options).await.unwrap();
    assert_eq!((report.copied, report.referrers), (6, 0));
    assert!(!sink.exists(&signature.root()).await.unwrap());
    options.referrers = true;
    let report = copy(&source, &sink, &root, &options).await.unwrap();
    assert_eq!((report.copied, report.skipped, report.referrers), (4, 6, 2));
    let found = sink.referrers(&signature.root().digest).await.unwrap();
    assert_eq!(found[0].digest, counter.root().digest);
    assert_eq!(sink.blobs().unwrap(), source.blobs().unwrap());
}

/// A store that notes what is pushed, counts what is under way, and can be told to fail.
#[derive(Default)]
struct Watched {
    inner: Memory,
    pushed: Mutex<Vec<Digest>>,
    running: AtomicUsize,
    most: AtomicUsize,
    /// Pushing this fails.
    broken: Option<Digest>,
    /// Lists these as referrers of anything.
    listed: Vec<Descriptor>,
}

impl Storage for Watched {
    type Reader = <Memory as Storage>::Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        self.inner.fetch(blob).await
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        self.inner.fetch_range(blob, range).await
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        self.inner.exists(blob).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let result = if self.broken == Some(expected.digest) {
            let reason = "the sink is broken".to_owned();
            let path = "sink".into();
            Err(modelctl::store::StoreError::Archive { path, reason }.into())
        } else {
            self.inner.push(expected, content).await
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        if result.is_ok() {
            self.pushed.lock().unwrap().push(expected.digest);
        }
        result
    }
}

impl Referrers for Watched {
    async fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        Ok(self.listed.clone())
    }
}

#[tokio::test]
async fn children_come_before_parents_and_blobs_side_by_side() {
    let (source, sink) = (Memory::new(), Watched::default());
    let layers: Vec<Vec<u8>> = (1..10).map(|length| vec![1; length * 100]).collect();
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    let parts = Parts::new(&layers);
    parts.push(&source).await;
    let root = index(&[&parts]);
    source
        .push(&root.descriptor(), &root.raw().to_vec())
        .await
        .unwrap();
    let options = CopyOptions {
        jobs: Jobs::Fixed(3),
        ..CopyOptions::default()
    };
    copy(&source, &sink, &root, &options).await.unwrap();
    let pushed = sink.pushed.lock().unwrap().clone();
    assert_eq!(pushed.len(), 12);
    assert_eq!(pushed[10..], [parts.root().digest, root.digest()]);
    assert_eq!(sink.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn failure_names_its_side_and_leaves_the_root_out() {
    let source = Memory::new();
    let parts = Parts::new(&[b"layer"]);
    parts.push(&source).await;
    let layer = parts.0[0].0.digest;
    let sink = Watched {
        broken: Some(layer),
        ..Watched::default()
    };
    let options = CopyOptions::default();
    let error = copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap_err();
    let expected = format!("cannot copy `{layer}`: the destination failed");
    assert_eq!(error.to_string(), expected);
    assert!(
        chain(&error).ends_with("the sink is broken"),
        "{}",
        chain(&error)
    );
    assert!(!sink.exists(&parts.root()).await.unwrap());

    let (source, sink) = (Memory::new(), Memory::new());
    for (descriptor, bytes) in &parts.0[1..] {
        source.push(descriptor, bytes).await.unwrap();
    }
    let error = copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot copy `{layer}`: the source failed")
    );
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!sink.exists(&parts.root()).await.unwrap());
}

/// Four bytes changed in the source: nothing arrives, and the blob is named.
#[tokio::test]
async fn corrupt_source_is_found_out_and_blamed() {
    let folder = TempDir::new().unwrap();
    let source = Layout::open_or_create(&folder.path().join("a")).unwrap();
    let sink = Layout::open_or_create(&folder.path().join("b")).unwrap();
    let parts = Parts::new(&[&[3; 3_000_000]]);
    parts.put(&source);
    let layer = &parts.0[0].0;
    let path = source.blob_path(&layer.digest);
    std::fs::remove_file(&path).unwrap();
    let mut bytes = parts.0[0].1.clone();
    bytes[1_500_000..][..4].fill(0);
    std::fs::write(&path, bytes).unwrap();
    // One at a time: what else was in flight would be cleaned up a moment later.
    let options = CopyOptions {
        jobs: Jobs::Fixed(1),
        ..CopyOptions::default()
    };
    let error = copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap_err();
    let text = chain(&error);
    assert!(text.contains("the source failed"), "{text}");
    assert!(text.contains("got content with digest"), "{text}");
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(!sink.exists(layer).await.unwrap());
    assert!(!sink.exists(&parts.root()).await.unwrap());
    assert_eq!(
        std::fs::read_dir(sink.root().join("ingest"))
            .unwrap()
            .count(),
        0
    );
}

/// A sink that gives up half-way once, and takes up the content where it was.
struct Resuming(Memory);

impl Storage for Resuming {
    type Reader = <Memory as Storage>::Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        self.0.fetch(blob).await
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        self.0.fetch_range(blob, range).await
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        self.0.exists(blob).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        let half = expected.size / 2;
        let failed = |error| {
            Error::from(modelctl::store::StoreError::Read {
                blob: expected.digest,
                cause: error,
            })
        };
        let (first, second) = (content.open_at(0).map_err(failed)?, content.open_at(half));
        let (mut first, mut second) = (std::io::Read::take(first, half), second.map_err(failed)?);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut first, &mut bytes)?;
            std::io::Read::read_to_end(&mut second, &mut bytes)?;
            Ok(bytes)
        });
        self.0
            .push(expected, &read.await.unwrap().map_err(failed)?)
            .await
    }
}

#[tokio::test]
async fn sink_can_take_content_up_again_at_an_offset() {
    let (source, sink) = (Memory::new(), Resuming(Memory::new()));
    let parts = Parts::new(&[b"a layer that is sent in two halves"]);
    parts.push(&source).await;
    let options = CopyOptions::default();
    copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap();
    assert_eq!(sink.0.len(), 3);
}

/// Security row A26: a list of referrers is a claim.
#[tokio::test]
async fn listed_referrer_must_refer() {
    let source = Watched::default();
    let (model, other) = (Parts::new(&[b"model"]), Parts::new(&[b"other"]));
    model.push(&source.inner).await;
    other.push(&source.inner).await;
    let listing = |listed: Vec<Descriptor>| Watched {
        listed,
        ..Watched::default()
    };
    let source = Watched {
        inner: source.inner,
        ..listing(vec![other.root()])
    };
    let options = CopyOptions {
        referrers: true,
        ..CopyOptions::default()
    };
    let error = copy(&source, &Memory::new(), &model.document(), &options).await;
    let text = chain(&error.unwrap_err());
    assert!(text.contains("its subject is another"), "{text}");

    // A model that is listed as its own referrer was seen already, and is not followed.
    let source = Watched {
        inner: source.inner,
        ..listing(vec![model.root()])
    };
    let sink = Memory::new();
    copy(&source, &sink, &model.document(), &options)
        .await
        .unwrap();
    assert_eq!(sink.len(), 3);
}

/// Notes the last position and the end of each blob.
#[derive(Default)]
struct Notes(Mutex<BTreeMap<Digest, (u64, &'static str)>>);

impl Progress for Notes {
    fn started(&self, blob: &Descriptor) {
        self.0.lock().unwrap().insert(blob.digest, (0, "started"));
    }

    fn advanced(&self, blob: &Descriptor, position: u64) {
        self.0
            .lock()
            .unwrap()
            .insert(blob.digest, (position, "advanced"));
    }

    fn finished(&self, blob: &Descriptor) {
        let mut notes = self.0.lock().unwrap();
        let position = notes[&blob.digest].0;
        notes.insert(blob.digest, (position, "finished"));
    }

    fn skipped(&self, blob: &Descriptor) {
        self.0.lock().unwrap().insert(blob.digest, (0, "skipped"));
    }
}

#[tokio::test]
async fn progress_is_told_what_moves_and_what_does_not() {
    let notes = std::sync::Arc::new(Notes::default());
    let (source, sink) = (Memory::new(), Memory::new());
    let parts = Parts::new(&[&[1; 300_000], b"there already"]);
    parts.push(&source).await;
    let (there, bytes) = &parts.0[1];
    sink.push(there, bytes).await.unwrap();
    let sink = WithProgress::new(sink, notes.clone());
    let options = CopyOptions::default();
    copy(&source, &sink, &parts.document(), &options)
        .await
        .unwrap();
    let seen = notes.0.lock().unwrap().clone();
    assert_eq!(seen[&parts.0[0].0.digest], (300_000, "finished"));
    assert_eq!(seen[&there.digest], (0, "skipped"));
    assert_eq!(seen[&parts.root().digest].1, "finished");
}

#[tokio::test]
async fn progress_of_a_fetch_ends_with_the_content() {
    let notes = std::sync::Arc::new(Notes::default());
    let parts = Parts::new(&[&[1; 300_000]]);
    let store = WithProgress::new(Memory::new(), notes.clone());
    parts.push(&store).await;
    let layer = &parts.0[0].0;
    crate::store::contract::read(&store, layer).await.unwrap();
    assert_eq!(
        notes.0.lock().unwrap()[&layer.digest],
        (300_000, "finished")
    );
}

/// The future of a copy can be spawned, whatever the stores are.
#[test]
fn copy_is_send() {
    fn assert_send<T: Send>(_: &T) {}
    let (source, sink) = (Memory::new(), Memory::new());
    let (document, options) = (Parts::new(&[]).document(), CopyOptions::default());
    assert_send(&copy(&source, &sink, &document, &options));
}

#[test]
fn errors_travel_through_readers() {
    let error = modelctl::oci::OciError::IsIndex;
    let carried = read_error(error);
    let blob = Descriptor::of(media_type::EMPTY, b"{}").digest;
    let error = modelctl::store::error_of_read(carried, &blob);
    assert!(matches!(error, Error::Oci(_)));
    let plain = modelctl::store::error_of_read(std::io::Error::other("x"), &blob);
    assert_eq!(
        plain.to_string(),
        format!("blob `{blob}`: reading its content failed: x")
    );
}
