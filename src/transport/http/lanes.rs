//! The connections that fetch blobs from one registry: how many there are, how much they move
//! together, and whether more of them would move more.
//!
//! One connection a blob is the rule. Where connections are slow, more are tried, and kept while
//! the rate of all of them together grows: a registry far away, or one that limits each
//! connection, then gives several times as much, and a link that is simply slow is left alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::Pieces;
use crate::transport::options::RangeOptions;

/// The first step: how many connections there are for each one before.
const FIRST_STEP: usize = 4;
/// Each further step.
const STEP: usize = 2;
/// More connections are kept if together they move so many times as much.
const GAIN: f64 = 1.15;
/// How long to measure after a step, in measures of [`RangeOptions::measure`].
const MEASURES: u32 = 2;
/// How long a new number of connections is kept before another is tried.
const REST: Duration = Duration::from_secs(10);
/// New connections are waited for, in times that an answer takes to begin: to be made, to be
/// answered, and the same once more before the first part has proved that parts come at all.
const WARMING: u32 = 10;
/// The longest that they are waited for.
const LONGEST_WARMING: Duration = Duration::from_secs(2);
/// How much of what arrives too early there may be for each connection: 10 MiB for sixteen. Measured
/// with 24 MiB, pulls took 54 MiB of memory in all.
const WINDOW: u64 = 640 * 1024;
/// The length of a buffer.
pub(crate) const PART_BUFFER: usize = 128 * 1024;

/// The connections to one registry.
pub(crate) struct Lanes {
    pub(crate) options: RangeOptions,
    /// The buffers of what arrives too early.
    pub(crate) pieces: Pieces,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Connections that fetch blobs now.
    open: usize,
    /// How many there may be before a blob gets another one.
    limit: usize,
    /// Blobs that are fetched in parts.
    splitting: usize,
    /// Bytes that all connections have moved.
    moved: u64,
    /// How long the last answer took to begin.
    latency: Duration,
    /// Answers that began since the limit was raised.
    begun: usize,
    course: Course,
}

#[derive(Default, Clone, Copy)]
enum Course {
    /// One connection a blob.
    #[default]
    Single,
    /// The limit was raised, and will be lowered again if it does not help.
    Growing {
        since: Instant,
        /// When measuring began, and what was moved until then.
        mark: Option<(Instant, u64)>,
        rate_before: f64,
        limit_before: usize,
    },
    /// The limit stays for a while.
    Settled { since: Instant },
}

impl Lanes {
    pub(crate) fn new(options: RangeOptions) -> Self {
        let buffers = options.connections as u64 * WINDOW / PART_BUFFER as u64;
        Self {
            options,
            pieces: Pieces::keeping(usize::try_from(buffers).unwrap_or(usize::MAX)),
            state: Mutex::default(),
        }
    }

    /// A connection that a blob needs in any case.
    pub(crate) fn first(self: &Arc<Self>) -> Lane {
        self.state().open += 1;
        Lane::new(self)
    }

    /// One more connection for a blob, if there may be one.
    pub(crate) fn another(self: &Arc<Self>) -> Option<Lane> {
        let mut state = self.state();
        let is_free = state.open < state.limit;
        state.open += usize::from(is_free);
        is_free.then(|| Lane::new(self))
    }

    /// A blob begins to be fetched in parts.
    pub(crate) fn split(self: &Arc<Self>) -> Splitting {
        self.state().splitting += 1;
        Splitting(Arc::clone(self))
    }

    /// Whether several connections a blob were found to be better than one, or are being tried.
    pub(crate) fn are_many(&self) -> bool {
        self.state().limit > 1
    }

    /// How many connections one blob may have.
    pub(crate) fn share(&self) -> usize {
        let state = self.state();
        (state.limit / state.splitting.max(1)).max(1)
    }

    /// How many bytes that arrive too early one blob may hold.
    pub(crate) fn window(&self) -> u64 {
        self.share() as u64 * WINDOW
    }

    /// A connection was found to be slow, at so many bytes a second: tries more of them, unless
    /// that was tried before.
    pub(crate) fn widen(&self, rate: f64) {
        let most = self.options.connections;
        let mut state = self.state();
        let now = Instant::now();
        let (wanted, rate) = match state.course {
            Course::Single => (state.open.max(1).saturating_mul(FIRST_STEP), rate),
            Course::Settled { since } if now - since > REST => {
                (state.limit.max(state.open).saturating_mul(STEP), rate)
            }
            _ => return,
        };
        let limit = wanted.min(most);
        if limit > state.open.max(state.limit) {
            let together = rate * state.open.max(1) as f64;
            state.grow(limit, together, now);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn grow(&mut self, limit: usize, rate_before: f64, now: Instant) {
        tracing::debug!(limit, rate_before, "trying more connections");
        self.course = Course::Growing {
            since: now,
            mark: None,
            rate_before,
            limit_before: self.limit,
        };
        self.limit = limit;
        self.begun = 0;
    }

    fn settle(&mut self, limit: usize, now: Instant) {
        tracing::debug!(limit, "connections are enough");
        self.limit = limit;
        self.course = Course::Settled { since: now };
    }

    /// Judges the last step when it is time to.
    fn judge(&mut self, options: &RangeOptions, now: Instant) {
        let Course::Growing {
            since,
            mark,
            rate_before,
            limit_before,
        } = &mut self.course
        else {
            return;
        };
        let Some((began, moved)) = *mark else {
            let patience = (self.latency * WARMING).min(LONGEST_WARMING);
            if self.begun >= self.limit || now - *since >= patience.max(options.measure) {
                *mark = Some((now, self.moved));
            }
            return;
        };
        if now - began < (options.measure * MEASURES).max(self.latency * 2) {
            return;
        }
        let rate = (self.moved - moved) as f64 / (now - began).as_secs_f64();
        let (helps, limit_before) = (rate >= *rate_before * GAIN, *limit_before);
        if !helps {
            self.settle(limit_before, now);
        } else if self.limit < options.connections {
            let limit = self.limit.saturating_mul(STEP).min(options.connections);
            self.grow(limit, rate, now);
        } else {
            self.settle(self.limit, now);
        }
    }
}

/// One connection in use.
pub(crate) struct Lane {
    lanes: Arc<Lanes>,
    has_moved: AtomicBool,
}

impl Lane {
    /// A connection that was counted.
    fn new(lanes: &Arc<Lanes>) -> Self {
        Self {
            lanes: Arc::clone(lanes),
            has_moved: AtomicBool::new(false),
        }
    }

    /// An answer began after so long.
    pub(crate) fn answered(&self, after: Duration) {
        self.lanes.state().latency = after;
    }

    /// How long an answer takes to begin.
    pub(crate) fn latency(&self) -> Duration {
        self.lanes.state().latency
    }

    /// Counts bytes.
    pub(crate) fn moved(&self, bytes: u64) {
        let mut state = self.lanes.state();
        state.moved += bytes;
        if !self.has_moved.swap(true, Ordering::Relaxed) {
            state.begun += 1;
        }
        state.judge(&self.lanes.options, Instant::now());
    }

    /// The registry has enough: fewer connections from now on.
    pub(crate) fn is_too_much(&self) {
        let mut state = self.lanes.state();
        let fewer = (state.open.min(state.limit) / 2).max(1);
        state.settle(fewer, Instant::now());
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.state().open -= 1;
    }
}

/// A blob that is fetched in parts.
pub(crate) struct Splitting(Arc<Lanes>);

impl Drop for Splitting {
    fn drop(&mut self) {
        self.0.state().splitting -= 1;
    }
}

#[cfg(test)]
mod tests;
