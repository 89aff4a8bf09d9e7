//! The buffers in which content is on its way: used again instead of allocated for each piece.
//!
//! Pieces are made on one thread and dropped on another. An allocator keeps what is freed in such a
//! way for each thread, so that memory would grow to several times of what is in use at a time.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many buffers are kept for the next piece: what a few blobs in flight need.
const KEPT: usize = 16;

/// Buffers that are not in use. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Pieces(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pieces {
    /// An empty buffer, which comes back when it is dropped.
    pub(super) fn take(&self) -> Piece {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Piece {
            buffer: kept.unwrap_or_default(),
            home: self.clone(),
        }
    }
}

/// A buffer in use.
pub(super) struct Piece {
    pub(super) buffer: Vec<u8>,
    home: Pieces,
}

impl Piece {
    /// The content as bytes that can be shared; the buffer comes back after the last of them.
    pub(super) fn freeze(self) -> Bytes {
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
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_after_the_last_use() {
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
        let kept = pieces.0.lock().unwrap();
        assert!(kept.iter().all(Vec::is_empty));
        assert!(kept.iter().any(|buffer| buffer.as_ptr() == pointer));
    }
}
