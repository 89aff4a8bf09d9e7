//! What every [`Storage`] promises, as one list of functions that is run against each of them.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use modelctl::oci::{Descriptor, Digest, media_type};
use modelctl::store::{BlobSource, Layout, Memory, Storage};
use modelctl::{Error, ErrorKind};
use tokio::io::AsyncReadExt as _;

use crate::support::embedded::Embedded;
use crate::support::transport;

/// Runs the whole list. Each check uses content of its own, so that one store serves them all.
pub(crate) async fn check_all<S: Storage>(store: &S) {
    what_was_pushed_is_fetched(store).await;
    empty_blob_is_kept(store).await;
    second_push_changes_nothing(store).await;
    range_gives_exactly_the_part(store).await;
    absent_blob_is_not_found(store).await;
    wrong_content_is_refused(store).await;
    failed_push_leaves_nothing(store).await;
    fetch_checks_the_descriptor(store).await;
    cancelled_push_leaves_nothing(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    check_all(&Memory::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layout_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("layout")).unwrap();
    check_all(&layout).await;
    // Only what was cancelled is kept, for the next push of the same blob.
    let left = std::fs::read_dir(layout.root().join("ingest")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap()).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let length = left[0].metadata().unwrap().len();
    assert!((1..2_000_000).contains(&length), "{length}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registry_keeps_the_contract() {
    let registry = Embedded::new();
    check_all(&transport::at(
        transport::options(),
        &registry.address.to_string(),
    ))
    .await;
}

/// Content that no other check and no earlier run uses.
fn content(length: usize) -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let seed = NEXT.fetch_add(1, Ordering::Relaxed) ^ (u64::from(std::process::id()) << 32);
    let mut bytes = vec![0; length];
    for (at, chunk) in bytes.chunks_mut(32).enumerate() {
        let block = Digest::sha256(format!("{seed} {at}").as_bytes());
        chunk.copy_from_slice(&block.value()[..chunk.len()]);
    }
    bytes
}

fn describe(bytes: &[u8]) -> Descriptor {
    Descriptor::of(media_type::OCTET_STREAM, bytes)
}

pub(crate) async fn read<S: Storage>(store: &S, blob: &Descriptor) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = store.fetch(blob).await.map_err(io::Error::other)?;
    reader.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

async fn assert_absent<S: Storage>(store: &S, blob: &Descriptor) {
    assert!(!store.exists(blob).await.unwrap());
    let error = match store.fetch(blob).await {
        Ok(mut reader) => {
            let read = reader.read_to_end(&mut Vec::new()).await;
            read.unwrap_err().downcast::<Error>().unwrap()
        }
        Err(error) => error,
    };
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

async fn what_was_pushed_is_fetched<S: Storage>(store: &S) {
    for length in [1, 4096, 3_000_001] {
        let bytes = content(length);
        let blob = describe(&bytes);
        assert!(!store.exists(&blob).await.unwrap());
        store.push(&blob, &bytes).await.unwrap();
        assert!(store.exists(&blob).await.unwrap());
        assert_eq!(read(store, &blob).await.unwrap(), bytes);
    }
}

async fn empty_blob_is_kept<S: Storage>(store: &S) {
    let blob = describe(b"");
    store.push(&blob, &Vec::new()).await.unwrap();
    assert_eq!(read(store, &blob).await.unwrap(), b"");
}

async fn second_push_changes_nothing<S: Storage>(store: &S) {
    let bytes = content(1000);
    let blob = describe(&bytes);
    store.push(&blob, &bytes).await.unwrap();
    store.push(&blob, &bytes).await.unwrap();
    assert_eq!(read(store, &blob).await.unwrap(), bytes);
}

async fn range_gives_exactly_the_part<S: Storage>(store: &S) {
    let bytes = content(5000);
    let blob = describe(&bytes);
    store.push(&blob, &bytes).await.unwrap();
    for range in [0..5000, 0..1, 4999..5000, 1000..2000, 2500..2500] {
        let mut reader = store.fetch_range(&blob, range.clone()).await.unwrap();
        let mut part = Vec::new();
        reader.read_to_end(&mut part).await.unwrap();
        assert_eq!(part, bytes[range.start as usize..range.end as usize]);
    }
    #[expect(clippy::reversed_empty_ranges, reason = "it is to be refused")]
    for range in [0..5001, 5001..5002, 2..1, 0..u64::MAX] {
        assert!(store.fetch_range(&blob, range).await.is_err());
    }
}

async fn absent_blob_is_not_found<S: Storage>(store: &S) {
    assert_absent(store, &describe(&content(10))).await;
}

/// Security row A33.
async fn wrong_content_is_refused<S: Storage>(store: &S) {
    let right = content(100);
    let mut flipped = right.clone();
    flipped[50] ^= 1;
    let mut longer = right.clone();
    longer.push(0);
    for wrong in [flipped, longer, right[..99].to_vec(), Vec::new()] {
        let blob = describe(&right);
        let error = store.push(&blob, &wrong).await.unwrap_err();
        let text = chain(&error);
        let digest = blob.digest.to_string();
        assert!(text.contains(&digest), "{text} does not name the blob");
        assert_absent(store, &blob).await;
    }
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

/// Content that fails after some bytes.
struct Failing(Vec<u8>);

impl BlobSource for Failing {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let start = self.0.open_at(offset)?;
        Ok(Box::new(start.chain(FailingEnd)))
    }
}

struct FailingEnd;

impl Read for FailingEnd {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is on fire"))
    }
}

async fn failed_push_leaves_nothing<S: Storage>(store: &S) {
    let bytes = content(2_000_000);
    let blob = describe(&bytes);
    let half = Failing(bytes[..1_000_000].to_vec());
    let error = store.push(&blob, &half).await.unwrap_err();
    assert!(chain(&error).contains("the disk is on fire"), "{error}");
    assert_absent(store, &blob).await;
    store.push(&blob, &bytes).await.unwrap();
}

async fn fetch_checks_the_descriptor<S: Storage>(store: &S) {
    let bytes = content(100);
    let mut blob = describe(&bytes);
    store.push(&blob, &bytes).await.unwrap();
    for size in [99, 101] {
        blob.size = size;
        let text = read(store, &blob).await.unwrap_err().to_string();
        assert!(text.contains(&blob.digest.to_string()), "{text}");
    }
}

/// Content that stops half-way until it is let go.
struct Stalling {
    half: Vec<u8>,
    reached: Arc<AtomicBool>,
    let_go: std::sync::Mutex<Option<mpsc::Receiver<()>>>,
    rest: Vec<u8>,
}

struct Gate(Arc<AtomicBool>, mpsc::Receiver<()>);

impl Read for Gate {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.store(true, Ordering::SeqCst);
        // Either answer means: go on.
        let _ = self.1.recv_timeout(Duration::from_secs(10));
        Ok(0)
    }
}

impl BlobSource for Stalling {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let receiver = self.let_go.lock().unwrap().take();
        let gate = Gate(self.reached.clone(), receiver.unwrap());
        let half = self.half.open_at(offset)?;
        Ok(Box::new(half.chain(gate).chain(self.rest.open_at(0)?)))
    }
}

async fn cancelled_push_leaves_nothing<S: Storage>(store: &S) {
    let bytes = content(2_000_000);
    let blob = describe(&bytes);
    let (let_go, stalled) = mpsc::channel();
    let reached = Arc::new(AtomicBool::new(false));
    let content = Stalling {
        half: bytes[..1_000_000].to_vec(),
        reached: reached.clone(),
        let_go: std::sync::Mutex::new(Some(stalled)),
        rest: bytes[1_000_000..].to_vec(),
    };
    let half_way = async {
        while !reached.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        result = store.push(&blob, &content) => panic!("the push ended: {result:?}"),
        () = half_way => {}
    }
    // A connection on another thread hears of it a moment later.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let_go.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_absent(store, &blob).await;
}
