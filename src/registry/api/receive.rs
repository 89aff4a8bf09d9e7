//! A body on its way into an upload: the socket is read here, the disk is written on a thread that
//! may block, and between them wait a few chunks at most.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::service::{Service, on_disk};
use crate::registry::RegistryError;
use crate::registry::depot::{Lease, Turn, Upload};
use crate::registry::wire::{self, Code, Failure};

/// Chunks between socket and disk: a megabyte, as each is at most as long as the connection's read
/// buffer.
const QUEUE: usize = 8;
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
    let (to_disk, chunks) = mpsc::channel(QUEUE);
    let writing = on_disk(move || write(upload, length, chunks));
    let feeding = feed(service, content, (length, to_disk), &mut lease);
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

/// Writes chunks until there are no more.
fn write(
    mut upload: Guard,
    length: Option<u64>,
    mut chunks: mpsc::Receiver<Bytes>,
) -> Result<Guard, RegistryError> {
    let chunks = iter::from_fn(|| chunks.blocking_recv());
    let written = match upload.as_mut() {
        Some(open) => open.append(length, chunks),
        None => Ok(()),
    };
    match &written {
        Ok(()) | Err(RegistryError::Quota { .. }) => {}
        Err(_) => *upload = None,
    }
    written.map(|()| upload)
}

/// Hands on a body chunk by chunk.
async fn feed(
    service: &Service,
    content: &mut Body,
    (length, to_disk): (Option<u64>, mpsc::Sender<Bytes>),
    lease: &mut Lease,
) -> Result<(), Failure> {
    let mut left = length;
    while let Some(chunk) = next(service, content, lease).await? {
        if let Some(left) = left.as_mut() {
            let rest = left.checked_sub(chunk.len() as u64);
            *left = rest.ok_or_else(|| wrong_size(length))?;
        }
        if to_disk.send(chunk).await.is_err() {
            return Ok(());
        }
    }
    match left {
        None | Some(0) => Ok(()),
        Some(_) => Err(wrong_size(length)),
    }
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
