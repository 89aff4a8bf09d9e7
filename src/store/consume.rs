//! A blob, read on the reactor and consumed on threads of their own.
//!
//! ```text
//!                          ┌──▶ first consumer (blocking thread) ───┐
//! reader ── fills ──▶ buffers, counted                              ├─▶ empty again
//!    ▲                     └──▶ second consumer (blocking thread) ──┘       │
//!    └──────────────────────────────── pool ◀───────────────────────────────┘
//! ```
//!
//! So reading, writing and hashing happen at the same time. Both consumers see the same buffers, and
//! whoever is last gives them back. All blobs in flight share one pool, so that memory use depends
//! neither on the length of a blob nor on how many there are.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};

use super::blocking::on_thread;
use super::error_of_read;
use crate::oci::Descriptor;
use crate::{Error, Result};

/// The length of a buffer in bytes: longer ones were no faster.
const BUFFER: usize = 256 * 1024;
/// How many buffers wait for one consumer at most, so that a slow blob leaves some to the others.
const WAITING: usize = 16;
/// What one consumer alone needs: a buffer that is filled, one that is consumed, one between them.
const ALONE: usize = 3;

/// Takes the bytes of a blob in order.
pub trait Consumer: Send + 'static {
    /// Takes the next bytes. It runs on a thread where it may block; an error ends the reading.
    fn take(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Buffers that blobs in flight share.
#[derive(Clone)]
pub struct Buffers {
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Buffers of that many bytes in all, at least a few of them. They are allocated when needed.
    pub fn new(bytes: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new((bytes / BUFFER).max(ALONE))),
            idle: Arc::default(),
        }
    }

    /// Waits for an empty buffer.
    async fn lease(&self, capacity: usize) -> Lease {
        let free = Arc::clone(&self.free).acquire_owned().await;
        let permit = free.expect("it is never closed");
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = { idle }.pop().unwrap_or_default();
        buffer.clear();
        buffer.reserve(capacity);
        Lease {
            buffer,
            idle: Arc::clone(&self.idle),
            _permit: permit,
        }
    }
}

/// A buffer in use; dropping it gives it back.
struct Lease {
    buffer: Vec<u8>,
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(std::mem::take(&mut self.buffer));
    }
}

/// Reads a blob to its end into a consumer, and gives the consumer back. What a consumer did with
/// the bytes of a bad blob must be undone by whoever called: only `Ok` says that all were good.
pub async fn consume<C: Consumer>(
    reader: impl AsyncRead + Send + Unpin + 'static,
    blob: &Descriptor,
    consumer: C,
) -> Result<C> {
    let (consumer, consuming) = start(consumer);
    let buffers = Buffers::new(ALONE * BUFFER);
    let mut feeding = spawn_feed(reader, blob, &buffers, vec![consumer]);
    let (fed, consumer) = tokio::join!(feeding.join_next(), consuming);
    // Where both failed, the consumer failed first: feeding does not stop it.
    let consumer = consumer?;
    outcome(fed).map(|()| consumer)
}

/// Reads a blob, or the rest of one, to its end into two consumers at a time, and gives them back.
/// The caller makes sure that the bytes are good, as for [`consume`].
pub async fn consume_both<A: Consumer, B: Consumer>(
    reader: impl AsyncRead + Send + Unpin + 'static,
    blob: &Descriptor,
    buffers: &Buffers,
    (first, second): (A, B),
) -> Result<(A, B)> {
    let (first, consuming_first) = start(first);
    let (second, consuming_second) = start(second);
    let mut feeding = spawn_feed(reader, blob, buffers, vec![first, second]);
    let (fed, first, second) = tokio::join!(feeding.join_next(), consuming_first, consuming_second);
    let both = (first?, second?);
    outcome(fed).map(|()| both)
}

/// The end of a consumer that takes buffers, and its work.
fn start<C: Consumer>(mut consumer: C) -> (Sender<Arc<Lease>>, impl Future<Output = Result<C>>) {
    let (sender, mut full) = channel::<Arc<Lease>>(WAITING);
    let consuming = on_thread(move || {
        while let Some(lease) = full.blocking_recv() {
            consumer.take(&lease.buffer)?;
        }
        Ok::<C, Error>(consumer)
    });
    (sender, consuming)
}

/// Feeds consumers in a task of its own, so that blobs in flight are decrypted on several cores; it
/// ends with the set.
fn spawn_feed(
    reader: impl AsyncRead + Send + Unpin + 'static,
    blob: &Descriptor,
    buffers: &Buffers,
    consumers: Vec<Sender<Arc<Lease>>>,
) -> JoinSet<Result<()>> {
    let mut feeding = JoinSet::new();
    let (blob, buffers) = (blob.clone(), buffers.clone());
    feeding.spawn(async move { feed(reader, &blob, &buffers, &consumers).await });
    feeding
}

/// What became of the one task of a set.
fn outcome(fed: Option<Result<Result<()>, JoinError>>) -> Result<()> {
    match fed.expect("the set has one task") {
        Ok(fed) => fed,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn feed(
    mut reader: impl AsyncRead + Send + Unpin,
    blob: &Descriptor,
    buffers: &Buffers,
    consumers: &[Sender<Arc<Lease>>],
) -> Result<()> {
    // Less for a small blob, and never what a hostile descriptor says.
    let capacity = usize::try_from(blob.size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
    loop {
        let mut lease = buffers.lease(capacity).await;
        let is_over = fill(&mut reader, &mut lease.buffer, capacity).await;
        let is_over = is_over.map_err(|error| error_of_read(error, &blob.digest))?;
        let lease = Arc::new(lease);
        for consumer in consumers {
            // A consumer that has failed says so itself.
            if consumer.send(Arc::clone(&lease)).await.is_err() {
                return Ok(());
            }
        }
        if is_over {
            return Ok(());
        }
    }
}

/// Fills a buffer; says whether the end was reached before.
async fn fill(
    reader: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    capacity: usize,
) -> std::io::Result<bool> {
    while buffer.len() < capacity {
        let room = capacity - buffer.len();
        if reader.read_buf(&mut (&mut *buffer).limit(room)).await? == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Collected(Vec<u8>);

    impl Consumer for Collected {
        fn take(&mut self, bytes: &[u8]) -> Result<()> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    struct Full;

    impl Consumer for Full {
        fn take(&mut self, _: &[u8]) -> Result<()> {
            let cause = std::io::ErrorKind::StorageFull.into();
            let path = "file".into();
            Err(crate::store::StoreError::Io { path, cause }.into())
        }
    }

    fn content(size: usize) -> (Vec<u8>, Descriptor) {
        let bytes: Vec<u8> = (0..size).map(|at| (at / 7) as u8).collect();
        let blob = Descriptor::of("a/b", &bytes);
        (bytes, blob)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn both_consumers_get_every_byte_in_order() {
        let buffers = Buffers::new(0);
        for size in [0, 1, BUFFER - 1, BUFFER, 40 * BUFFER + 1] {
            let (bytes, blob) = content(size);
            let reader = std::io::Cursor::new(bytes.clone());
            let consumers = (Collected(vec![]), Collected(vec![]));
            let consumed = consume_both(reader, &blob, &buffers, consumers).await;
            let (first, second) = consumed.unwrap();
            assert!(first.0 == bytes && second.0 == bytes, "{size}");
        }
        // All came back, and no more than there are.
        assert_eq!(buffers.free.available_permits(), ALONE);
        assert!(buffers.idle.lock().unwrap().len() <= ALONE);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn consumer_that_fails_ends_the_reading() {
        let (bytes, blob) = content(40 * BUFFER);
        let buffers = Buffers::new(0);
        let consumers = (Collected(vec![]), Full);
        let consumed = consume_both(std::io::Cursor::new(bytes), &blob, &buffers, consumers).await;
        assert_eq!(consumed.err().unwrap().kind(), crate::ErrorKind::Io);
        assert_eq!(buffers.free.available_permits(), ALONE);
    }
}
