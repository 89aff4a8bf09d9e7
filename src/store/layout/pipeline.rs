//! Content on its way into a file: read, hashed and written at the same time.
//!
//! ```text
//! content ── read ──▶ hash ──▶ write      each on a thread of its own, never more than four
//!              ▲                 │        buffers between them
//!              └── empty buffers ┘
//! ```
//!
//! So a single large blob moves at the pace of the slowest of the three, and memory use does not
//! depend on its length.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};

use crate::Result;
use crate::oci::{Digest, Hasher};
use crate::store::{StoreError, error_of_read};

/// The length of a buffer in bytes.
const BUFFER: usize = 256 * 1024;
/// One is being read into, one hashed, one written, and one waits.
const BUFFERS: usize = 4;

/// Moves content of at most `length` bytes to its end. What was read before an error is written,
/// too; the hasher may then have seen more than was written.
pub(super) fn pump(
    content: impl Read + Send,
    length: u64,
    blob: &Digest,
    hasher: &mut Hasher,
    write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<()> {
    let unreadable = |error| error_of_read(error, blob);
    if length <= BUFFER as u64 {
        return at_once(content, length, hasher, write)?.map_err(unreadable);
    }
    let (filled, unhashed) = sync_channel::<Vec<u8>>(BUFFERS);
    let (hashed, unwritten) = sync_channel::<Vec<u8>>(BUFFERS);
    let (emptied, empty) = sync_channel(BUFFERS);
    scope(|scope| {
        let reading = spawn(scope, move || read(content, &filled, &empty)).map_err(unreadable)?;
        let hashing = spawn(scope, move || {
            for buffer in unhashed {
                hasher.update(&buffer);
                if hashed.send(buffer).is_err() {
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
    length: u64,
    hasher: &mut Hasher,
    mut write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<io::Result<()>, StoreError> {
    let mut bytes = Vec::with_capacity(length as usize);
    let read = content.read_to_end(&mut bytes);
    hasher.update(&bytes);
    write(&bytes)?;
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
    filled: &SyncSender<Vec<u8>>,
    empty: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    for number in 0_usize.. {
        let buffer = match number {
            0..BUFFERS => Some(Vec::new()),
            _ => empty.recv().ok(),
        };
        let Some(mut buffer) = buffer else { break };
        buffer.resize(BUFFER, 0);
        let (count, outcome) = fill(&mut content, &mut buffer);
        buffer.truncate(count);
        if filled.send(buffer).is_err() {
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
    unwritten: Receiver<Vec<u8>>,
    emptied: SyncSender<Vec<u8>>,
    mut write: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for buffer in unwritten {
        write(&buffer)?;
        // A reader that has ended needs no buffers.
        let _ = emptied.send(buffer);
    }
    Ok(())
}
