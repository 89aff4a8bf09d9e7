//! A blob, read on the reactor and consumed on a thread of its own.
//!
//! ```text
//! reader ── fills ──▶ buffers ──▶ consumer (blocking thread)
//!    ▲                                │
//!    └───────── empty again ──────────┘
//! ```
//!
//! So reading and consuming happen at the same time, and memory use does not depend on the length of
//! the blob.

use std::future::Future;

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinError, JoinSet};

use super::blocking::on_thread;
use super::error_of_read;
use crate::oci::Descriptor;
use crate::{Error, Result};

/// The length of a buffer in bytes: longer ones were no faster.
const BUFFER: usize = 256 * 1024;
/// One is filled, one consumed, and one waits.
const BUFFERS: usize = 3;

/// Takes the bytes of a blob in order.
pub trait Consumer: Send + 'static {
    /// Takes the next bytes. It runs on a thread where it may block; an error ends the reading.
    fn take(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Reads a blob to its end into a consumer, and gives the consumer back. What a consumer did with
/// the bytes of a bad blob must be undone by whoever called: only `Ok` says that all were good.
pub async fn consume<C: Consumer>(
    reader: impl AsyncRead + Send + Unpin + 'static,
    blob: &Descriptor,
    consumer: C,
) -> Result<C> {
    let (emptied, empty) = channel(BUFFERS);
    let (filled, consuming) = start(consumer, emptied);
    let blob = blob.clone();
    // In a task of its own, so that blobs in flight are decrypted on several cores; it ends with the set.
    let mut feeding = JoinSet::new();
    feeding.spawn(async move { feed(reader, &blob, &filled, empty).await });
    let (fed, consumer) = tokio::join!(feeding.join_next(), consuming);
    // Where both failed, the consumer failed first: feeding does not stop it.
    let consumer = consumer?;
    outcome(fed).map(|()| consumer)
}

/// The end of a consumer that takes buffers, and its work.
fn start<C: Consumer>(
    mut consumer: C,
    emptied: Sender<Vec<u8>>,
) -> (Sender<Vec<u8>>, impl Future<Output = Result<C>>) {
    let (sender, mut full) = channel::<Vec<u8>>(BUFFERS);
    let consuming = on_thread(move || {
        while let Some(buffer) = full.blocking_recv() {
            consumer.take(&buffer)?;
            // Whoever has read everything needs no buffers.
            let _ = emptied.try_send(buffer);
        }
        Ok::<C, Error>(consumer)
    });
    (sender, consuming)
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
    filled: &Sender<Vec<u8>>,
    mut empty: Receiver<Vec<u8>>,
) -> Result<()> {
    // Less for a small blob, and never what a hostile descriptor says.
    let capacity = usize::try_from(blob.size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
    for number in 0_usize.. {
        let buffer = match number {
            0..BUFFERS => Some(Vec::with_capacity(capacity)),
            _ => empty.recv().await,
        };
        // A consumer that has failed says so itself.
        let Some(mut buffer) = buffer else { break };
        buffer.clear();
        let is_over = fill(&mut reader, &mut buffer, capacity).await;
        let is_over = is_over.map_err(|error| error_of_read(error, &blob.digest))?;
        if filled.send(buffer).await.is_err() || is_over {
            break;
        }
    }
    Ok(())
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
    async fn consumer_gets_every_byte_in_order() {
        for size in [0, 1, BUFFER - 1, BUFFER, 40 * BUFFER + 1] {
            let (bytes, blob) = content(size);
            let reader = std::io::Cursor::new(bytes.clone());
            let consumed = consume(reader, &blob, Collected(vec![])).await.unwrap();
            assert!(consumed.0 == bytes, "{size}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn consumer_that_fails_ends_the_reading() {
        let (bytes, blob) = content(40 * BUFFER);
        let consumed = consume(std::io::Cursor::new(bytes), &blob, Full).await;
        assert_eq!(consumed.err().unwrap().kind(), crate::ErrorKind::Io);
    }
}
