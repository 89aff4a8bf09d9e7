//! Numbers that are the same on every machine: SplitMix64 (Steele, Lea and Flood, "Fast splittable
//! pseudorandom number generators", 2014).
//!
//! ```text
//! state += 0x9e3779b97f4a7c15
//! z = (state ^ state >> 30) × 0xbf58476d1ce4e5b9;  z = (z ^ z >> 27) × 0x94d049bb133111eb;  z ^ z >> 31
//! ```
//!
//! The generator is part of what a recorded test is made of: changing it changes every seed.

/// A sequence of numbers that its seed determines.
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// The sequence of a seed, and of a stream of it: each case and input has its own.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut streams = Self { state: seed };
        let offset = streams.next();
        Self {
            state: offset ^ stream.wrapping_mul(0xd134_2543_de82_ef95),
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to, not including, 1: a multiple of 2⁻²⁴, exact also in an `f32`.
    pub(super) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / 16_777_216.0;
        (self.next() >> 40) as f64 * STEP
    }

    /// A number from 0 to `most`, both included.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        // The high half of the product: as even as 64 bits allow, without a loop.
        let product = u128::from(self.next()) * (u128::from(most) + 1);
        (product >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published C code for seed 1234567.
    #[test]
    fn the_sequence_is_splitmix64() {
        let mut random = Random { state: 1_234_567 };
        let numbers: Vec<u64> = (0..5).map(|_| random.next()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut random = Random::new(7, 0);
        for _ in 0..10_000 {
            let unit = random.unit();
            assert!((0.0..1.0).contains(&unit));
            assert_eq!(f64::from(unit as f32), unit);
            assert!(random.up_to(1) <= 1);
        }
        assert!((0..64).any(|_| random.up_to(u64::MAX) > u64::MAX / 2));
        let streams: Vec<u64> = (0..4).map(|stream| Random::new(7, stream).next()).collect();
        assert!(
            streams.windows(2).all(|pair| pair[0] != pair[1]),
            "{streams:?}"
        );
    }
}
