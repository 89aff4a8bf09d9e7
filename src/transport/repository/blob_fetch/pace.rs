//! Whether a connection is slow: bytes, and the time that was spent waiting for them. A reader that
//! takes its time does not make a connection slow.

use std::time::Duration;

/// So many measures in a row must be slow.
const MEASURES: u32 = 2;
/// So many where answers begin at once: what is that near is slow for a while when the machine is
/// busy, and then more connections do not help.
const MEASURES_NEARBY: u32 = 6;
/// Answers that begin sooner come from nearby.
const NEARBY: Duration = Duration::from_millis(10);

/// How fast a connection is.
pub(super) struct Pace {
    /// The rate below which it is slow, in bytes a second.
    slow: u64,
    /// How long one measure takes.
    measure: Duration,
    moved: u64,
    waited: Duration,
    slow_measures: u32,
}

impl Pace {
    pub(super) fn new(slow: u64, measure: Duration) -> Self {
        Self {
            slow,
            measure,
            moved: 0,
            waited: Duration::ZERO,
            slow_measures: 0,
        }
    }

    /// Takes in that so many bytes came after so long, over a connection whose answers take `latency`
    /// to begin; gives the rate, in bytes a second, of one that is slow for certain.
    pub(super) fn add(&mut self, bytes: u64, waited: Duration, latency: Duration) -> Option<f64> {
        self.moved += bytes;
        self.waited += waited;
        if self.waited < self.measure {
            return None;
        }
        let rate = self.moved as f64 / self.waited.as_secs_f64();
        (self.moved, self.waited) = (0, Duration::ZERO);
        self.slow_measures = match rate < self.slow as f64 {
            true => self.slow_measures + 1,
            false => 0,
        };
        let enough = match latency < NEARBY {
            true => MEASURES_NEARBY,
            false => MEASURES,
        };
        (self.slow_measures >= enough).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// After how many pieces a connection is slow.
    fn slow_after(pieces: &[(u64, Duration)], latency: Duration) -> Option<usize> {
        let mut pace = Pace::new(100_000_000, 100 * MS);
        let mut pieces = pieces.iter();
        pieces.position(|(bytes, waited)| pace.add(*bytes, *waited, latency).is_some())
    }

    fn slow(pieces: &[(u64, Duration)]) -> bool {
        slow_after(pieces, 50 * MS).is_some()
    }

    #[test]
    fn more_is_needed_to_call_a_neighbour_slow() {
        let pieces = [(500_000, 10 * MS); 100];
        assert_eq!(slow_after(&pieces, 50 * MS), Some(19));
        assert_eq!(slow_after(&pieces, MS), Some(59));
    }

    #[test]
    fn only_waiting_makes_a_connection_slow() {
        // 50 MB/s.
        assert!(slow(&[(500_000, 10 * MS); 20]));
        // 3 GB/s, and a reader that is slower than that.
        assert!(!slow(&[(300_000, MS / 10); 10_000]));
        assert!(!slow(&[(100_000, Duration::ZERO); 10_000]));
    }

    #[test]
    fn one_hitch_does_not_make_a_connection_slow() {
        let mut pieces = vec![(20_000_000, 50 * MS); 20];
        pieces[7] = (1000, 120 * MS);
        assert!(!slow(&pieces));
    }
}
