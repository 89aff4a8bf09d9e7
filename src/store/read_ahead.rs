//! A blob, read by a task of its own into a few buffers, ahead of a thread that consumes them.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::{Piece, Pieces};
use crate::oci::Descriptor;

/// The length of a buffer in bytes: those of two blobs, and what the network holds of them, fit into the
/// second-level cache of a core.
pub(crate) const BUFFER: usize = 128 * 1024;
/// How many of them wait, beside the one that is filled and the one that is consumed.
const AHEAD: usize = 2;

/// Begins to read a blob, or the rest of one, to its end or to an error. The task ends with its set;
/// if it panics, what it gives ends early.
pub(crate) fn read_ahead(
    reader: impl AsyncRead + Send + Unpin + 'static,
    blob: &Descriptor,
    pieces: &Pieces,
) -> (JoinSet<()>, Receiver<io::Result<Piece>>) {
    // Less for a small blob, and never what a hostile descriptor says.
    let length = usize::try_from(blob.size).map_or(BUFFER, |size| size.clamp(1, BUFFER));
    let (filled, coming) = channel(AHEAD);
    let pieces = pieces.clone();
    let mut task = JoinSet::new();
    task.spawn(async move { read(reader, length, &pieces, &filled).await });
    (task, coming)
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    length: usize,
    pieces: &Pieces,
    filled: &Sender<io::Result<Piece>>,
) {
    loop {
        let mut piece = pieces.take_of(length);
        let read = fill(&mut reader, &mut piece).await;
        let is_last = piece.buffer.len() < length;
        // Whoever does not take it any more needs no more.
        if !piece.buffer.is_empty() && filled.send(Ok(piece)).await.is_err() {
            return;
        }
        if let Err(error) = read {
            let _ = filled.send(Err(error)).await;
            return;
        }
        if is_last {
            return;
        }
    }
}

/// Fills a buffer, and makes it as long as what came.
async fn fill(reader: &mut (impl AsyncRead + Unpin), piece: &mut Piece) -> io::Result<()> {
    let mut length = 0;
    let read = loop {
        match reader.read(&mut piece.buffer[length..]).await {
            Ok(0) => break Ok(()),
            Ok(count) => length += count,
            Err(error) => break Err(error),
        }
    };
    piece.buffer.truncate(length);
    read
}
