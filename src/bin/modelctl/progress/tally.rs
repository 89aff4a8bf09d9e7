//! How far each blob is, how far all of them are together, and how fast that changes.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use modelctl::oci::{Descriptor, Digest};

/// Counts bytes of blobs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    positions: HashMap<Digest, u64>,
    moved: u64,
    expected: u64,
}

impl Tally {
    pub(super) fn new(expected: u64) -> Self {
        Self {
            expected,
            ..Self::default()
        }
    }

    /// A blob has come so far; it can be less far than before.
    pub(super) fn set(&mut self, blob: &Descriptor, position: u64) {
        let before = self.positions.insert(blob.digest, position);
        let others = self.moved.saturating_sub(before.unwrap_or(0));
        self.moved = others.saturating_add(position);
    }

    /// How many bytes have moved, or were there.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    /// How many there are to move in all, as far as is known.
    pub(super) fn total(&self) -> u64 {
        self.expected.max(self.moved)
    }
}

/// Measures a rate between reports that are a while apart.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    last: Instant,
    moved: u64,
}

impl Pace {
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self {
            every,
            last: now,
            moved: 0,
        }
    }

    /// If it is time for the next report: the rate since the last one, in bytes per second.
    pub(super) fn report(&mut self, moved: u64, now: Instant) -> Option<u64> {
        let elapsed = now.duration_since(self.last);
        if elapsed < self.every {
            return None;
        }
        let more = moved.saturating_sub(self.moved);
        (self.last, self.moved) = (now, moved);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        Some(more.saturating_mul(1000) / millis.max(1))
    }
}

/// A number of seconds, as people read it.
pub(super) struct Seconds(pub(super) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds @ ..120 => write!(f, "{seconds} s"),
            seconds @ ..7200 => write!(f, "{} min", seconds / 60),
            seconds => write!(f, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
        }
    }
}
