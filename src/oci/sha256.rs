//! SHA-256 of two contents at a time, in little more than the time of one: of a file and a part of it,
//! which share bytes, or of two blobs.
//!
//! ```text
//! bytes of one ─────▶ first state  ─┐
//! bytes of another ─▶ second state ─┴─▶ blocks of both, their rounds interleaved
//! ```
//!
//! The rounds of one SHA-256 wait for each other, which leaves half of a processor's SHA unit idle.
//! Rounds of a second one fit into the gaps: 1.7 times the speed of one after the other. The two may be
//! at different places in their blocks. Where there are no such instructions, the blocks are hashed one
//! after the other by the `sha2` crate, which also hashes whatever has no partner.

use sha2::block_api::compress256;

use super::Digest;

#[cfg(target_arch = "x86_64")]
mod pair;

/// What SHA-256 works on at a time (FIPS 180-4, section 5.2.1).
type Block = [u8; BLOCK];
const BLOCK: usize = 64;

/// FIPS 180-4, section 5.3.3.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A SHA-256 on its way, which can be fed together with another one.
#[derive(Clone)]
pub(crate) struct Sha256 {
    state: [u32; 8],
    /// The bytes after the last whole block are its first ones.
    rest: Block,
    /// How many bytes were added.
    length: u64,
}

impl Sha256 {
    /// Starts with no bytes.
    pub(crate) fn new() -> Self {
        Self {
            state: START,
            rest: [0; BLOCK],
            length: 0,
        }
    }

    /// Whether this machine hashes two faster than one after the other.
    pub(crate) fn has_pairs() -> bool {
        #[cfg(target_arch = "x86_64")]
        return pair::is_there();
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    }

    /// Adds bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let blocks = self.take(bytes);
        compress256(&mut self.state, blocks);
    }

    /// Adds the same bytes to both.
    pub(crate) fn update_both(first: &mut Self, second: &mut Self, bytes: &[u8]) {
        Self::update_pair([first, second], [bytes; 2]);
    }

    /// Adds bytes to each. What one has more than the other takes the time that it takes alone.
    pub(crate) fn update_pair(pair: [&mut Self; 2], bytes: [&[u8]; 2]) {
        Self::update_with(pair, bytes, compress_both);
    }

    fn update_with(
        [first, second]: [&mut Self; 2],
        [bytes, other_bytes]: [&[u8]; 2],
        compress: impl Fn([&mut [u32; 8]; 2], [&[Block]; 2]),
    ) {
        let (blocks, others) = (first.take(bytes), second.take(other_bytes));
        // Of the same bytes, one may have one block more than the other.
        let common = blocks.len().min(others.len());
        let (blocks, left) = blocks.split_at(common);
        let (others, other_left) = others.split_at(common);
        compress([&mut first.state, &mut second.state], [blocks, others]);
        compress256(&mut first.state, left);
        compress256(&mut second.state, other_left);
    }

    /// Takes what does not fill blocks, and gives the whole blocks that follow what was there.
    fn take<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [Block] {
        let kept = (self.length % BLOCK as u64) as usize;
        self.length += bytes.len() as u64;
        if kept > 0 {
            let (missing, after) = bytes.split_at(bytes.len().min(BLOCK - kept));
            self.rest[kept..][..missing.len()].copy_from_slice(missing);
            if kept + missing.len() < BLOCK {
                return &[];
            }
            compress256(&mut self.state, &[self.rest]);
            bytes = after;
        }
        let (blocks, rest) = bytes.as_chunks();
        self.rest[..rest.len()].copy_from_slice(rest);
        blocks
    }

    /// The digest of all bytes added.
    pub(crate) fn finish(mut self) -> Digest {
        // FIPS 180-4, section 5.1.1: a one, zeros, and the length in bits at the end of a block.
        let bits = self.length.wrapping_mul(8);
        let kept = (self.length % BLOCK as u64) as usize;
        let mut end = [[0; BLOCK]; 2];
        let blocks = if kept + 9 > BLOCK { 2 } else { 1 };
        let bytes = &mut end.as_flattened_mut()[..blocks * BLOCK];
        bytes[..kept].copy_from_slice(&self.rest[..kept]);
        bytes[kept] = 0x80;
        bytes[blocks * BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut self.state, &end[..blocks]);
        let mut value = [0; 32];
        for (bytes, word) in value.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        Digest::from_sha256(value)
    }
}

/// Adds as many blocks to one state as to the other.
fn compress_both(states: [&mut [u32; 8]; 2], blocks: [&[Block]; 2]) {
    #[cfg(target_arch = "x86_64")]
    if pair::is_there() {
        return pair::compress(states, blocks);
    }
    one_by_one(states, blocks);
}

fn one_by_one([first, second]: [&mut [u32; 8]; 2], [blocks, others]: [&[Block]; 2]) {
    compress256(first, blocks);
    compress256(second, others);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same each time (Numerical Recipes, "quick and dirty").
    struct Numbers(u32);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as usize % end
        }

        fn bytes(&mut self, length: usize) -> Vec<u8> {
            (0..length).map(|_| self.below(256) as u8).collect()
        }
    }

    #[test]
    fn every_length_is_padded_as_sha2_does() {
        let bytes = Numbers(1).bytes(300);
        for length in 0..=bytes.len() {
            let mut one = Sha256::new();
            one.update(&bytes[..length]);
            assert_eq!(one.finish(), Digest::sha256(&bytes[..length]), "{length}");
        }
    }

    /// The second begins `head` bytes later than the first; both get what follows in random pieces.
    fn pairs_agree_with_sha2(compress: fn([&mut [u32; 8]; 2], [&[Block]; 2])) {
        let mut numbers = Numbers(7);
        for round in 0..400 {
            let head = numbers.below(200);
            let length = head + numbers.below(3000);
            let bytes = numbers.bytes(length);
            let (mut first, mut second) = (Sha256::new(), Sha256::new());
            first.update(&bytes[..head]);
            let mut left = &bytes[head..];
            while !left.is_empty() {
                let longest = [9, 70, 1000][numbers.below(3)];
                let (now, later) = left.split_at(left.len().min(numbers.below(longest)));
                Sha256::update_with([&mut first, &mut second], [now; 2], compress);
                left = later;
            }
            assert_eq!(first.finish(), Digest::sha256(&bytes), "{round}");
            assert_eq!(second.finish(), Digest::sha256(&bytes[head..]), "{round}");
        }
    }

    #[test]
    fn contents_of_any_lengths_can_be_a_pair() {
        let mut numbers = Numbers(11);
        for round in 0..400 {
            let contents = [0; 2].map(|_| {
                let length = numbers.below(2000);
                numbers.bytes(length)
            });
            let (mut first, mut second) = (Sha256::new(), Sha256::new());
            let mut left = [&contents[0][..], &contents[1]];
            while !(left[0].is_empty() && left[1].is_empty()) {
                let now = left.map(|bytes| bytes.split_at(bytes.len().min(numbers.below(500))));
                let pair = [&mut first, &mut second];
                Sha256::update_pair(pair, now.map(|(bytes, _)| bytes));
                left = now.map(|(_, later)| later);
            }
            let digests = [first.finish(), second.finish()];
            let expected = contents.map(|content| Digest::sha256(&content));
            assert_eq!(digests, expected, "{round}");
        }
    }

    #[test]
    fn pairs_are_what_sha2_makes_of_each() {
        pairs_agree_with_sha2(compress_both);
    }

    #[test]
    fn pairs_are_the_same_without_instructions_for_them() {
        pairs_agree_with_sha2(one_by_one);
    }
}
