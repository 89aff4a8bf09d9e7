//! One blob from one store into another, without holding it in memory.
//!
//! A sink takes content that blocks and can be opened again ([`BlobSource`]); a source gives
//! asynchronous readers. Between them stands a [`Remote`]: its readers run on the sink's blocking
//! thread, ask the task of the copy to open the source, and read from what they get. So the source
//! need not outlive the copy. Where the sink checks digests the source does not: content is hashed
//! once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::TransferError;
use super::error::Side;
use super::flight::Moved;
use super::target::{Outcome, Target};
use crate::oci::{Descriptor, Digest};
use crate::store::{BlobSource, Storage, error_of_read};
use crate::{Error, ErrorKind, Result};

/// Copies a blob unless the target has it, and says what became of it or which side failed.
pub(super) async fn copy_blob<S: Storage, D: Storage>(
    source: &S,
    target: &Target<'_, D>,
    blob: &Descriptor,
    moved: &Moved,
) -> Result<Outcome, TransferError> {
    let (requests, incoming) = mpsc::channel(1);
    let content = Remote {
        requests,
        blob: blob.digest,
        runtime: Handle::current(),
        failure: Arc::default(),
        file: source.local_file(blob),
    };
    let verifies = target.sink().verifies();
    let delivered = tokio::select! {
        delivered = target.deliver(blob, &content, moved) => delivered,
        never = serve(source, blob, verifies, incoming) => match never {},
    };
    let failure = content.failure.lock();
    let failure = failure.unwrap_or_else(PoisonError::into_inner).take();
    delivered.map_err(|error| match failure {
        Some(error) => Side::Source.failed(&blob.digest)(error),
        // The sink found out what the source was not asked to look for.
        None if verifies && error.kind() == ErrorKind::Mismatch => {
            Side::Source.failed(&blob.digest)(error)
        }
        None => Side::Destination.failed(&blob.digest)(error),
    })
}

/// Opens the source whenever a reader asks for it. Runs as long as the push does.
async fn serve<S: Storage>(
    source: &S,
    blob: &Descriptor,
    sink_verifies: bool,
    mut incoming: mpsc::Receiver<Request<S::Reader>>,
) -> std::convert::Infallible {
    while let Some(Request { offset, answer }) = incoming.recv().await {
        let reader = match offset {
            0 if sink_verifies => source.fetch_unverified(blob).await,
            0 => source.fetch(blob).await,
            _ => source.fetch_range(blob, offset..blob.size).await,
        };
        // A reader that is gone needs no answer.
        drop(answer.send(reader));
    }
    std::future::pending().await
}

/// A reader's wish to have the source opened.
struct Request<R> {
    offset: u64,
    answer: oneshot::Sender<Result<R>>,
}

/// A blob in the source, as content for the sink.
struct Remote<R> {
    requests: mpsc::Sender<Request<R>>,
    blob: Digest,
    runtime: Handle,
    failure: Failure,
    file: Option<File>,
}

/// The last error of the source: what the sink makes of it would name the wrong side.
type Failure = Arc<Mutex<Option<Error>>>;

impl<R: AsyncRead + Send + Unpin + 'static> BlobSource for Remote<R> {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(RemoteReader {
            requests: self.requests.clone(),
            offset,
            blob: self.blob,
            runtime: self.runtime.clone(),
            failure: self.failure.clone(),
            open: None,
        }))
    }

    fn local_file(&self) -> Option<File> {
        self.file.as_ref()?.try_clone().ok()
    }
}

/// Reads from the source; opened by the first read, since opening waits for the network.
struct RemoteReader<R> {
    requests: mpsc::Sender<Request<R>>,
    offset: u64,
    blob: Digest,
    runtime: Handle,
    failure: Failure,
    open: Option<R>,
}

impl<R: AsyncRead + Send + Unpin + 'static> RemoteReader<R> {
    fn open(&mut self) -> Result<R> {
        let (answer, reader) = oneshot::channel();
        let offset = self.offset;
        let request = Request { offset, answer };
        // What an earlier reader met with is over.
        *self.last_failure() = None;
        let sent = self.requests.blocking_send(request);
        sent.map_err(|_| self.cancelled())?;
        reader.blocking_recv().map_err(|_| self.cancelled())?
    }

    /// Waits for the source, but no longer than the copy does: a copy that is given up ends the
    /// thread at once, not when the network next has something to say.
    fn read_on(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut reader = match self.open.take() {
            Some(reader) => reader,
            None => self.open()?,
        };
        let read = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.requests.closed() => None,
                read = reader.read(buffer) => Some(read),
            }
        });
        self.open = Some(reader);
        match read {
            Some(read) => read.map_err(|error| error_of_read(error, &self.blob)),
            None => Err(self.cancelled()),
        }
    }

    fn cancelled(&self) -> Error {
        error_of_read(io::Error::other("cancelled"), &self.blob)
    }

    /// Keeps the error for the report, and gives the sink its text and whether content was wrong.
    fn fail(&self, error: Error) -> io::Error {
        let kind = match error.kind() {
            ErrorKind::Mismatch => io::ErrorKind::InvalidData,
            _ => io::ErrorKind::Other,
        };
        let text = error.to_string();
        *self.last_failure() = Some(error);
        io::Error::new(kind, text)
    }

    fn last_failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: AsyncRead + Send + Unpin + 'static> Read for RemoteReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_on(buffer).map_err(|error| self.fail(error))
    }
}
