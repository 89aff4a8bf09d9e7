//! Trying again: a budget of tries and one of time, pauses that grow, and jitter so that many
//! clients of a registry that comes back do not come back at once.
//!
//! Only errors that [`ErrorKind::is_transient`](crate::ErrorKind::is_transient) are tried again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::TransportError;
use super::failure::Effort;
use super::options::RetryOptions;

/// The longest `Retry-After` that is waited for. Registries with daily limits ask for hours: that
/// is for the user to decide.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// The tries of one piece of work.
pub(crate) struct Attempts {
    options: RetryOptions,
    jitter: Jitter,
    started: Instant,
    tries: u32,
    failures_in_a_row: u32,
    waited: Duration,
}

impl Attempts {
    pub(crate) fn new(options: RetryOptions) -> Self {
        Self {
            jitter: Jitter::new(options.seed),
            started: Instant::now(),
            tries: 0,
            failures_in_a_row: 0,
            waited: Duration::ZERO,
            options,
        }
    }

    /// Waits until it is time for the next try; gives the error back, with what it took, if there
    /// is none.
    pub(crate) async fn pause(&mut self, error: TransportError) -> Result<(), TransportError> {
        let is_transient = error.kind().is_transient();
        self.pause_if(is_transient, error).await
    }

    /// The same after an error of which the caller knows that another try can help.
    pub(crate) async fn pause_after(
        &mut self,
        error: TransportError,
    ) -> Result<(), TransportError> {
        self.pause_if(true, error).await
    }

    async fn pause_if(
        &mut self,
        can_help: bool,
        error: TransportError,
    ) -> Result<(), TransportError> {
        self.tries += 1;
        self.failures_in_a_row += 1;
        let Some(pause) = self.next_pause(&error).filter(|_| can_help) else {
            return Err(error.after(Effort {
                tries: self.tries,
                elapsed: self.started.elapsed(),
            }));
        };
        tracing::debug!(pause_ms = pause.as_millis() as u64, "trying again: {error}");
        self.waited += pause;
        sleep(pause).await;
        Ok(())
    }

    /// Forgets earlier failures: the work got on since.
    pub(crate) fn renew(&mut self) {
        self.failures_in_a_row = 0;
        self.waited = Duration::ZERO;
    }

    fn next_pause(&mut self, error: &TransportError) -> Option<Duration> {
        if self.failures_in_a_row >= self.options.tries {
            return None;
        }
        let doubled = 2_u32.saturating_pow(self.failures_in_a_row - 1);
        let longest = self.options.first_pause.saturating_mul(doubled);
        let mut pause = self.jitter.halved(longest.min(self.options.longest_pause));
        let asked = error.retry_after();
        if let Some(asked) = asked {
            if asked > LONGEST_ASKED {
                return None;
            }
            pause = pause.max(asked + self.jitter.halved(self.options.first_pause));
        }
        (self.waited + pause <= self.options.patience).then_some(pause)
    }
}

/// Random numbers that only have to differ between clients (SplitMix64).
struct Jitter(u64);

impl Jitter {
    fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| RandomState::new().hash_one(0)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A duration between the half and the whole of one.
    fn halved(&mut self, whole: Duration) -> Duration {
        let part = f64::from(u32::try_from(self.next() >> 32).expect("32 bits"));
        whole.mul_f64(0.5 + part / f64::from(u32::MAX) / 2.0)
    }
}

#[cfg(test)]
mod tests;
