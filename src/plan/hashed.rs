//! How much was hashed so far: for who waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what is read to be hashed, from any thread. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Hashed(Arc<AtomicU64>);

impl Hashed {
    /// How many bytes were read so far. In the end it is about the length of the original files,
    /// and a little more where parts of them are layers of their own.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
