//! How many may be in flight: measured, not guessed.
//!
//! ```text
//! settle 3 windows ─▶ measure ─▶ slow per connection? ── no ──▶ rest, then look again
//!       ▲                              │ yes
//!       └────── twice as many ◀────────┘         (no gain of 15 %: back again, and rest)
//! ```
//!
//! Only windows in which all places were taken count: where there was nothing to move, a rate says
//! nothing about the link. Where items go a long way there are more from the start, and half as
//! many again at most, measured in the same way.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use super::Jobs;

/// As many as help any registry that was measured on a fast link, and no more than twice the cores.
const START: usize = 4;
/// Each takes two MiB of memory where it is slow, and a promise is 48 in all.
const MOST: usize = 8;
/// As many at once where answers take long: to find out by measuring that they help would take as
/// long as to send a small model.
const START_FAR: usize = 8;
/// The most there: half of the time a shard on a long way waits for answers, not for its bytes. With
/// sixteen, pulls took 51 MiB of memory in all.
const MOST_FAR: usize = 12;
/// Bytes per second of one connection above which more of them were a loss.
const FAST: f64 = 100e6;
/// What twice as many must gain to be kept. An ideal link gives 100 %, noise up to 10 %.
const GAIN: f64 = 1.15;
/// Windows without a conclusion after a change: handshakes, and buffers that fill at once.
const SETTLE: u32 = 3;
/// The least number of windows in a measurement, and the most.
const MEASURE: (u32, u32) = (3, 30);
/// What must have moved per connection before a measurement counts: less is the grain of pieces.
const GRAIN: u64 = 1024 * 1024;
/// Windows until a link is looked at again: ten seconds.
const REST: u32 = 100;

/// The number of items that may be in flight.
#[derive(Debug)]
pub(super) struct Limit {
    now: usize,
    most: usize,
    is_far: bool,
    is_adaptive: bool,
    phase: Phase,
    /// The number before the last growth and its rate, while it is not decided whether it helped.
    before: Option<(usize, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// So many windows do not count.
    Wait(u32),
    /// Windows, bytes and time so far.
    Measure(u32, u64, Duration),
}

impl Limit {
    /// The number to begin with.
    pub(super) fn new(jobs: Jobs) -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let (now, is_adaptive) = match jobs {
            Jobs::Auto => (START.min(2 * cores), true),
            Jobs::Fixed(jobs) => (jobs.max(1), false),
        };
        Self {
            now,
            most: MOST,
            is_far: false,
            is_adaptive,
            phase: Phase::Wait(SETTLE),
            before: None,
        }
    }

    /// The number now.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// Whether it can change.
    pub(super) fn is_adaptive(&self) -> bool {
        self.is_adaptive
    }

    /// Learns whether items go a long way. What was measured before does not count any more.
    pub(super) fn reach(&mut self, is_far: bool) {
        if !self.is_adaptive || self.is_far == is_far {
            return;
        }
        self.is_far = is_far;
        (self.now, self.most) = match is_far {
            true => (self.now.max(START_FAR), MOST_FAR),
            false => (self.now.min(MOST), MOST),
        };
        self.before = None;
        self.phase = Phase::Wait(SETTLE);
    }

    /// Learns what moved in a window, and whether all places were taken.
    pub(super) fn observe(&mut self, bytes: u64, time: Duration, is_full: bool) {
        self.phase = match self.phase {
            Phase::Wait(windows @ 2..) => Phase::Wait(windows - 1),
            Phase::Wait(_) => Phase::Measure(0, 0, Duration::ZERO),
            Phase::Measure(..) if !is_full => Phase::Measure(0, 0, Duration::ZERO),
            Phase::Measure(windows, sum, total) => {
                let (windows, sum, total) = (windows + 1, sum + bytes, total + time);
                let is_enough = windows >= MEASURE.0 && sum >= GRAIN * self.now as u64;
                match is_enough || windows >= MEASURE.1 {
                    true => self.decide(sum as f64 / total.as_secs_f64().max(1e-3)),
                    false => Phase::Measure(windows, sum, total),
                }
            }
        };
    }

    /// Draws the conclusion of a measurement, in bytes per second.
    fn decide(&mut self, rate: f64) -> Phase {
        if let Some((fewer, before)) = self.before.take()
            && rate <= before * GAIN
        {
            self.now = fewer;
            return Phase::Wait(REST);
        }
        let is_fast = rate / self.now as f64 >= FAST;
        if is_fast || self.now >= self.most {
            return Phase::Wait(REST);
        }
        self.before = Some((self.now, rate));
        self.now = (self.now * 2).min(self.most);
        Phase::Wait(SETTLE)
    }
}
