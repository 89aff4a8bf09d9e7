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

use tokio::io::AsyncRead;

use super::blocking::on_thread;
use super::read_ahead::read_ahead;
use super::{Pieces, error_of_read};
use crate::oci::Descriptor;
use crate::{Error, Result};

/// How many buffers are used again.
const KEPT: usize = 4;

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
    let (mut reading, mut coming) = read_ahead(reader, blob, &Pieces::keeping(KEPT));
    let digest = blob.digest;
    let consumer = on_thread(move || {
        while let Some(piece) = coming.blocking_recv() {
            let piece = piece.map_err(|error| error_of_read(error, &digest))?;
            consumer.take(&piece.buffer)?;
        }
        Ok::<C, Error>(consumer)
    });
    let consumer = consumer.await?;
    // What ended by a panic looked like the end of the blob.
    if let Some(Err(error)) = reading.join_next().await {
        std::panic::resume_unwind(error.into_panic());
    }
    Ok(consumer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::read_ahead::BUFFER;

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
