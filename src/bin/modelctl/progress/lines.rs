//! Progress for logs: a line now and then, and none at all for what is done soon.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use modelctl::oci::Descriptor;
use modelctl::store::Progress;

use super::screen::Stderr;
use super::tally::{Pace, Seconds, Tally};
use crate::text::Size;

/// How long nothing is said: CI services end jobs that are silent for ten minutes, and a log with a
/// line a second is no use.
const EVERY: Duration = Duration::from_secs(10);

/// Writes lines to stderr.
pub(super) struct Lines(Mutex<State>);

struct State {
    tally: Tally,
    pace: Pace,
}

impl Lines {
    pub(super) fn new(total: u64) -> Self {
        Self(Mutex::new(State::new(total, Instant::now())))
    }

    fn set(&self, blob: &Descriptor, position: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = state.set(blob, position, Instant::now()) {
            // Progress that nobody can read is no reason to stop.
            let _ = Stderr.write_all(line.as_bytes());
        }
    }
}

impl State {
    fn new(total: u64, now: Instant) -> Self {
        Self {
            tally: Tally::new(total),
            pace: Pace::new(EVERY, now),
        }
    }

    /// The line to write, if it is time for one.
    fn set(&mut self, blob: &Descriptor, position: u64, now: Instant) -> Option<String> {
        self.tally.set(blob, position);
        let (moved, total) = (self.tally.moved(), self.tally.total());
        let rate = self.pace.report(moved, now)?;
        Some(line("", (moved, total), rate))
    }
}

/// Says when it is time for a line.
pub(super) fn pace() -> Pace {
    Pace::new(EVERY, Instant::now())
}

/// How far something is, and how fast it goes.
pub(super) fn line(what: &str, (done, total): (u64, u64), rate: u64) -> String {
    let percent = u128::from(done) * 100 / u128::from(total.max(1));
    let left = match (total - done).checked_div(rate) {
        Some(seconds) => format!(", {} left", Seconds(seconds)),
        None => String::new(),
    };
    let (done, total, rate) = (Size(done), Size(total), Size(rate));
    format!("{what}{done} of {total} ({percent} %), {rate}/s{left}\n")
}

impl Progress for Lines {
    fn started(&self, blob: &Descriptor) {
        self.set(blob, 0);
    }

    fn advanced(&self, blob: &Descriptor, position: u64) {
        self.set(blob, position);
    }

    fn finished(&self, blob: &Descriptor) {
        self.set(blob, blob.size);
    }

    fn skipped(&self, blob: &Descriptor) {
        self.set(blob, blob.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use modelctl::oci::Digest;

    #[test]
    fn line_is_written_every_ten_seconds() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut state = State::new(2_000_000_000, start);
        let blob = |name: &[u8], size| Descriptor::new("", Digest::sha256(name), size);
        let (a, b) = (blob(b"a", 1_500_000_000), blob(b"b", 500_000_000));
        assert_eq!(state.set(&b, b.size, at(1)), None);
        assert_eq!(state.set(&a, 100_000_000, at(9)), None);
        assert_eq!(
            state.set(&a, 500_000_000, at(10)).as_deref(),
            Some("1.0 GB of 2.0 GB (50 %), 100.0 MB/s, 10 s left\n")
        );
        assert_eq!(state.set(&a, 600_000_000, at(15)), None);
        // A blob that began again is not so far any more, and nothing moves for a while.
        assert_eq!(
            state.set(&a, 0, at(20)).as_deref(),
            Some("500.0 MB of 2.0 GB (25 %), 0 B/s\n")
        );
        assert_eq!(
            state.set(&a, 1_000_000, at(30)).as_deref(),
            Some("501.0 MB of 2.0 GB (25 %), 100.0 kB/s, 4 h 9 min left\n")
        );
    }
}
