//! The buffers in which content is on its way: used again instead of allocated for each piece.
//!
//! Pieces are made on one thread and dropped on another. An allocator keeps what is freed in such a
//! way for each thread, so that memory would grow to several times of what is in use at a time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// How many buffers are kept for the next piece: what sixteen jobs, the most that are chosen by themselves, need.
const KEPT: usize = 64;

/// Buffers that are not in use. Clones share them.
#[derive(Clone)]
pub(crate) struct Pieces(Arc<Kept>);

struct Kept {
    most: usize,
    buffers: Mutex<Vec<Vec<u8>>>,
}

/// Not what is in them.
impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pieces").finish_non_exhaustive()
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self::keeping(KEPT)
    }
}

impl Pieces {
    /// Keeps so many buffers at most.
    pub(crate) fn keeping(most: usize) -> Self {
        let buffers = Mutex::default();
        Self(Arc::new(Kept { most, buffers }))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0
            .buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty buffer, which comes back when it is dropped.
    pub(crate) fn take(&self) -> Piece {
        let mut piece = self.take_used();
        piece.buffer.clear();
        piece
    }

    /// A buffer of a length in bytes, to be filled whole: what it held before is in it still, since
    /// to write zeros over it costs a fourteenth of a push.
    pub(crate) fn take_of(&self, length: usize) -> Piece {
        let mut piece = self.take_used();
        piece.buffer.resize(length, 0);
        piece
    }

    fn take_used(&self) -> Piece {
        let kept = self.kept().pop();
        Piece {
            buffer: kept.unwrap_or_default(),
            home: self.clone(),
        }
    }
}

/// A buffer in use.
pub(crate) struct Piece {
    pub(crate) buffer: Vec<u8>,
    home: Pieces,
}

impl Piece {
    /// The content as bytes that can be shared; the buffer comes back after the last of them.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut kept = self.home.kept();
        if kept.len() < self.home.0.most {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_after_the_last_use() {
        let pieces = Pieces::default();
        let mut piece = pieces.take();
        piece.buffer.extend_from_slice(b"abc");
        let pointer = piece.buffer.as_ptr();
        let bytes = piece.freeze();
        let part = bytes.slice(1..);
        drop(bytes);
        assert_ne!(pieces.take().buffer.as_ptr(), pointer, "it is still in use");
        assert_eq!(part, b"bc"[..]);
        drop(part);
        // The last one that came back is the first to be used again.
        let piece = pieces.take();
        assert_eq!(piece.buffer.as_ptr(), pointer);
        assert!(piece.buffer.is_empty());
        drop(piece);
        assert_eq!(pieces.take_of(5).buffer.len(), 5);
    }
}
