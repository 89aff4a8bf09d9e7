//! A body on its way into an upload: the socket is read here, the disk is written on a thread that
//! may block, and between them wait a few chunks at most.

use std::iter;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::body;
use super::respond::{Code, Failure};
use super::router::Service;
use super::uploads::superseded;
use crate::registry::RegistryError;
use crate::registry::depot::{Turn, Upload};

/// Chunks between socket and disk; each is at most as long as the connection's read buffer.
const QUEUE: usize = 4;

/// Adds a body to an upload. What arrived before a body broke off stays, so that the client can
/// go on from there; after a failure of the disk the upload is gone.
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
    let (to_disk, chunks) = mpsc::channel(QUEUE);
    let writing = tokio::task::spawn_blocking(move || write(upload, length, chunks));
    let fed = tokio::select! {
        fed = feed(service, content, length, to_disk) => fed,
        () = lease.ended() => Err(superseded()),
    };
    let (upload, written) = writing.await.map_err(|error| {
        tracing::error!("an upload was given up: {error}");
        Failure::new(Code::Unknown, "the registry gave up")
    })?;
    written?;
    fed?;
    Ok(Turn {
        session,
        upload,
        lease,
    })
}

/// Hands on a body chunk by chunk.
async fn feed(
    service: &Service,
    content: &mut Body,
    length: Option<u64>,
    to_disk: mpsc::Sender<Bytes>,
) -> Result<(), Failure> {
    let mut left = length;
    while let Some(chunk) = body::next(content, service.options.patience).await? {
        if let Some(left) = left.as_mut() {
            *left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| wrong_size(length))?;
        }
        if to_disk.send(chunk).await.is_err() {
            // The disk failed, and its error says more than this side can.
            return Ok(());
        }
    }
    match left {
        None | Some(0) => Ok(()),
        Some(_) => Err(wrong_size(length)),
    }
}

fn wrong_size(length: Option<u64>) -> Failure {
    let length = length.unwrap_or_default();
    Failure::new(
        Code::SizeInvalid,
        format!("the body has not the {length} bytes that were announced"),
    )
}

/// Writes chunks until there are no more.
fn write(
    mut guard: OwnedMutexGuard<Option<Upload>>,
    length: Option<u64>,
    mut chunks: mpsc::Receiver<Bytes>,
) -> (OwnedMutexGuard<Option<Upload>>, Result<(), RegistryError>) {
    let Some(upload) = guard.as_mut() else {
        return (guard, Ok(()));
    };
    let written = upload
        .reserve(length.unwrap_or(0))
        .and_then(|()| upload.append(length, iter::from_fn(|| chunks.blocking_recv())));
    if written.is_err() {
        *guard = None;
    }
    (guard, written)
}
