//! A body on its way into an upload: the socket is read here, the disk is written on a thread that
//! may block, and between them wait a few chunks at most.

use std::sync::Arc;
use std::time::Duration;
use std::{iter, mem};

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::service::{Service, on_disk};
use crate::registry::RegistryError;
use crate::registry::depot::{Lease, Turn, Upload};
use crate::registry::wire::{self, Code, Failure};

/// How many bytes go to the disk at once, or a chunk more. A chunk is what one read of the socket
/// gave, and to wake a thread for each of those cost more than to write it.
const BATCH: usize = 512 * 1024;
/// Batches between socket and disk.
const QUEUE: usize = 1;
/// What a request whose turn is over may still take in: what comes without a pause of this length.
/// Bytes that a broken connection left in our buffers need not be sent again then.
const LAST_CALL: Duration = Duration::from_millis(250);

/// An upload in the hands of this request.
type Guard = OwnedMutexGuard<Option<Upload>>;

/// Adds a body to an upload. What arrived before a body broke off stays, so that the client can
/// go on from there; after a failure of the disk the upload is gone, and after one of the quota it
/// stands where it stood.
pub(super) async fn receive(
    service: &Arc<Service>,
    turn: Turn,
    length: Option<u64>,
    content: &mut Body,
) -> Result<Turn, Failure> {
    if length == Some(0) {
        return Ok(turn);
    }
    let _permit = service.receivers.acquire().await;
    let Turn {
        session,
        upload,
        mut lease,
    } = turn;
    let upload = on_disk(move || reserve(upload, length)).await?;
    let (to_disk, batches) = mpsc::channel(QUEUE);
    let (spent, free) = mpsc::unbounded_channel();
    let writing = on_disk(move || write(upload, length, (batches, spent)));
    let filling = Filling {
        length,
        to_disk,
        free,
    };
    let feeding = feed(service, content, filling, &mut lease);
    // The disk's error says more than that of a body which was not read on because of it.
    let (written, fed) = tokio::join!(writing, feeding);
    let upload = written?;
    fed?;
    Ok(Turn {
        session,
        upload,
        lease,
    })
}

fn reserve(mut upload: Guard, length: Option<u64>) -> Result<Guard, RegistryError> {
    if let (Some(open), Some(length)) = (upload.as_mut(), length) {
        open.reserve(length)?;
    }
    Ok(upload)
}

/// Writes batches until there are no more.
fn write(
    mut upload: Guard,
    length: Option<u64>,
    (mut batches, spent): (mpsc::Receiver<Vec<u8>>, mpsc::UnboundedSender<Vec<u8>>),
) -> Result<Guard, RegistryError> {
    let batches = iter::from_fn(|| batches.blocking_recv());
    let written = match upload.as_mut() {
        Some(open) => open.append(length, batches, move |batch| drop(spent.send(batch))),
        None => Ok(()),
    };
    match &written {
        Ok(()) | Err(RegistryError::Quota { .. }) => {}
        Err(_) => *upload = None,
    }
    written.map(|()| upload)
}

/// Where the bytes of a body go.
struct Filling {
    length: Option<u64>,
    to_disk: mpsc::Sender<Vec<u8>>,
    /// Batches that were written and hashed, to be filled again: new memory costs more than to copy
    /// what is still in the processor's cache.
    free: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Filling {
    fn empty(&mut self) -> Vec<u8> {
        let used = self.free.try_recv().ok();
        used.map_or_else(Vec::new, |mut batch| {
            batch.clear();
            batch
        })
    }
}

/// Hands on a body in batches; also what came before it broke off.
async fn feed(
    service: &Service,
    content: &mut Body,
    mut filling: Filling,
    lease: &mut Lease,
) -> Result<(), Failure> {
    let mut batch = filling.empty();
    let mut left = filling.length;
    let end = loop {
        let chunk = match next(service, content, lease).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) if left.unwrap_or_default() > 0 => break Err(wrong_size(filling.length)),
            end => break end.map(drop),
        };
        if let Some(left) = left.as_mut() {
            match left.checked_sub(chunk.len() as u64) {
                Some(rest) => *left = rest,
                None => break Err(wrong_size(filling.length)),
            }
        }
        batch.extend_from_slice(&chunk);
        if batch.len() >= BATCH {
            let next = filling.empty();
            if filling
                .to_disk
                .send(mem::replace(&mut batch, next))
                .await
                .is_err()
            {
                // The writer has failed, and says why.
                return Ok(());
            }
        }
    };
    if !batch.is_empty() {
        let _ = filling.to_disk.send(batch).await;
    }
    end
}

/// The next chunk of a body, for as long as this is the newest request about the upload.
async fn next(
    service: &Service,
    content: &mut Body,
    lease: &mut Lease,
) -> Result<Option<Bytes>, Failure> {
    tokio::select! {
        biased;
        chunk = wire::next(content, service.options.patience) => return chunk,
        () = lease.ended() => {}
    }
    let last = wire::next(content, service.options.patience);
    match tokio::time::timeout(LAST_CALL, last).await {
        Ok(chunk) => chunk,
        Err(_) => Err(superseded()),
    }
}

/// What an older request about an upload is told.
pub(super) fn superseded() -> Failure {
    Failure::new(
        Code::BlobUploadInvalid,
        "a newer request about this upload came in",
    )
    .with_status(StatusCode::CONFLICT)
}

fn wrong_size(length: Option<u64>) -> Failure {
    let length = length.unwrap_or_default();
    Failure::new(
        Code::SizeInvalid,
        format!("the body has not the {length} bytes that were announced"),
    )
}
