//! A blob, read on the reactor and consumed on a thread of its own.
//!
//! ```text
//! reader ── fills ──▶ full buffers ──▶ consumer (blocking thread)
//!    ▲                                     │
//!    └────────── empty buffers ◀───────────┘      never more than three
//! ```
//!
//! So reading (and the hashing that a verifying reader does) and writing happen at the same time,
//! and memory use does not depend on the length of a blob.

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::blocking::on_thread;
use super::error_of_read;
use crate::oci::Descriptor;
use crate::{Error, Result};

/// The length of a buffer in bytes. With four blobs in flight, buffers of 1 MiB took 50 MiB of memory
/// in all and were no faster; these take 23.
const BUFFER: u64 = 256 * 1024;
/// One is being filled, one being consumed, and one between them.
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
    mut consumer: C,
) -> Result<C> {
    let (filled, mut full) = channel::<Vec<u8>>(BUFFERS);
    let (emptied, empty) = channel::<Vec<u8>>(BUFFERS);
    let consuming = on_thread(move || {
        while let Some(buffer) = full.blocking_recv() {
            consumer.take(&buffer)?;
            // A reader that has ended needs no buffers.
            let _ = emptied.blocking_send(buffer);
        }
        Ok::<C, Error>(consumer)
    });
    // A task of its own, so that blobs in flight are hashed on several cores; it ends with the set.
    let mut feeding = JoinSet::new();
    let blob = blob.clone();
    feeding.spawn(async move { feed(reader, &blob, filled, empty).await });
    let (fed, consumed) = tokio::join!(feeding.join_next(), consuming);
    // Where both failed, the consumer failed first: feeding does not stop it.
    let consumer = consumed?;
    match fed.expect("the set has one task") {
        Ok(fed) => fed.map(|()| consumer),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn feed(
    mut reader: impl AsyncRead + Send + Unpin,
    blob: &Descriptor,
    filled: Sender<Vec<u8>>,
    mut empty: Receiver<Vec<u8>>,
) -> Result<()> {
    // Less for a small blob, and never what a hostile descriptor says.
    let capacity = usize::try_from(blob.size.min(BUFFER))
        .expect("it fits in memory")
        .max(1);
    let mut allocated = 0;
    loop {
        let mut buffer = if allocated < BUFFERS {
            allocated += 1;
            Vec::with_capacity(capacity)
        } else {
            match empty.recv().await {
                Some(buffer) => buffer,
                None => return Ok(()),
            }
        };
        buffer.clear();
        while buffer.len() < capacity {
            let room = capacity - buffer.len();
            let read = reader.read_buf(&mut (&mut buffer).limit(room)).await;
            if read.map_err(|error| error_of_read(error, &blob.digest))? == 0 {
                let _ = filled.send(buffer).await;
                return Ok(());
            }
        }
        if filled.send(buffer).await.is_err() {
            return Ok(());
        }
    }
}
