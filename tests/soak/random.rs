//! Numbers that a seed repeats, and what the environment says about them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of numbers (xorshift).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a limit.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 16) % limit as u64) as usize
    }

    /// A time below a limit.
    pub(super) fn time(&mut self, limit: Duration) -> Duration {
        limit.mul_f64((self.next() >> 40) as f64 / (1_u64 << 24) as f64)
    }
}

/// The seed of this run: given, or new; it is printed.
pub(super) fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("SOAK_SEED", now().as_millis() as u64);
    println!("SOAK_SEED={seed}");
    seed
}

/// A number of the environment.
pub(super) fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}")),
        Err(_) => default,
    }
}
