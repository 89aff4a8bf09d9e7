//! Content on its way into a file: read, hashed and written at the same time.
//!
//! ```text
//! content ── read ──▶ hash ──▶ write      each on a thread of its own, never more than four
//!              ▲                 │        buffers between them
//!              └── empty buffers ┘
//! ```
//!
//! So a single large blob moves at the pace of the slowest of the three, and memory use depends
//! neither on its length nor, as blobs use the same buffers one after the other, on their number.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use crate::Result;
use crate::oci::{Digest, Hasher};
use crate::store::{Piece, Pieces, StoreError, error_of_read};

/// The length of a buffer in bytes.
const BUFFER: usize = 256 * 1024;
/// One is being read into, one hashed, one written, and one waits.
const BUFFERS: usize = 4;

/// Moves content of at most `length` bytes to its end. What was read before an error is written,
/// too; the hasher may then have seen more than was written.
pub(super) fn pump(
    content: impl Read + Send,
    (blob, length): (&Digest, u64),
    pieces: &Pieces,
    hasher: &mut Hasher,
    write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<()> {
    let unreadable = |error| error_of_read(error, blob);
    if length <= BUFFER as u64 {
        return at_once(content, pieces, hasher, write)?.map_err(unreadable);
    }
    let (filled, unhashed) = sync_channel::<Piece>(BUFFERS);
    let (hashed, unwritten) = sync_channel::<Piece>(BUFFERS);
    let (emptied, empty) = sync_channel(BUFFERS);
    scope(|scope| {
        let reading =
            spawn(scope, move || read(content, pieces, &filled, &empty)).map_err(unreadable)?;
        let hashing = spawn(scope, move || {
            for piece in unhashed {
                hasher.update(&piece.buffer);
                if hashed.send(piece).is_err() {
                    break;
                }
            }
        })
        .map_err(unreadable)?;
        let written = write_all(unwritten, emptied, write);
        join(hashing);
        let read = join(reading);
        written?;
        read.map_err(unreadable)
    })
}

/// Threads would cost more than they save.
fn at_once(
    mut content: impl Read,
    pieces: &Pieces,
    hasher: &mut Hasher,
    mut write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<io::Result<()>, StoreError> {
    let mut piece = pieces.take();
    let read = content.read_to_end(&mut piece.buffer);
    hasher.update(&piece.buffer);
    write(&piece.buffer)?;
    Ok(read.map(drop))
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> io::Result<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work)
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    match thread.join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Reads until the content ends, fails, or is not wanted any more.
fn read(
    mut content: impl Read,
    pieces: &Pieces,
    filled: &SyncSender<Piece>,
    empty: &Receiver<Piece>,
) -> io::Result<()> {
    for number in 0_usize.. {
        let piece = match number {
            0..BUFFERS => Some(pieces.take_of(BUFFER)),
            _ => empty.recv().ok(),
        };
        let Some(mut piece) = piece else { break };
        let (count, outcome) = fill(&mut content, &mut piece.buffer);
        piece.buffer.truncate(count);
        if filled.send(piece).is_err() {
            break;
        }
        outcome?;
        if count < BUFFER {
            break;
        }
    }
    Ok(())
}

/// Fills a buffer, unless the content ends or fails: what came before that counts.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> (usize, io::Result<()>) {
    let mut count = 0;
    while count < buffer.len() {
        match content.read(&mut buffer[count..]) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) => return (count, Err(error)),
        }
    }
    (count, Ok(()))
}

/// Writes what is left of the content. The channels end with it, and with them the other threads.
fn write_all(
    unwritten: Receiver<Piece>,
    emptied: SyncSender<Piece>,
    mut write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for piece in unwritten {
        write(&piece.buffer)?;
        // A reader that has ended needs no buffers.
        let _ = emptied.send(piece);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Algorithm;

    #[test]
    fn next_blob_uses_the_buffers_of_the_one_before() {
        let pieces = Pieces::default();
        for fill in 0..5 {
            let content = vec![fill; 9 * BUFFER + 1];
            let blob = Digest::sha256(&content);
            let mut hasher = Hasher::new(Algorithm::Sha256);
            let mut written = 0;
            let write = |bytes: &[u8]| {
                written += bytes.len();
                Ok(())
            };
            let length = content.len() as u64;
            pump(&content[..], (&blob, length), &pieces, &mut hasher, write).unwrap();
            assert_eq!((written, hasher.finish()), (content.len(), blob));
        }
        let taken: Vec<Piece> = (0..=BUFFERS).map(|_| pieces.take()).collect();
        let used = taken
            .iter()
            .filter(|piece| piece.buffer.capacity() >= BUFFER);
        assert!((1..=BUFFERS).contains(&used.count()));
    }
}
