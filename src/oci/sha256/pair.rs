//! The rounds of two SHA-256 interleaved, with the SHA instructions of x86-64.
//!
//! FIPS 180-4, section 6.2.2, in the form of Intel's "SHA Extensions" (2013): a state is two registers,
//! ABEF and CDGH, and sixteen words of the schedule are four.

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use super::Block;

/// FIPS 180-4, section 4.2.2.
#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Whether this processor has the instructions.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

/// Adds as many blocks to one state as to the other. Only for processors of which
/// [`is_there`] says yes.
#[expect(
    unsafe_code,
    reason = "only the caller of code for some processors can know that this is one"
)]
pub(super) fn compress(states: [&mut [u32; 8]; 2], blocks: [&[Block]; 2]) {
    assert!(is_there(), "asked for by the caller");
    // SAFETY: this processor has the features that `rounds` is compiled for, as was just asserted.
    // Inside of it nothing is unsafe: it works on values, not on pointers.
    unsafe { rounds(states, blocks) }
}

/// One SHA-256 in registers.
struct Lane {
    abef: __m128i,
    cdgh: __m128i,
    /// The last sixteen words of the schedule.
    words: [__m128i; 4],
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn rounds([first, second]: [&mut [u32; 8]; 2], [blocks, others]: [&[Block]; 2]) {
    let (mut a, mut b) = (load(first), load(second));
    for (block, other) in blocks.iter().zip(others) {
        let before = [a.abef, a.cdgh, b.abef, b.cdgh];
        // Spelled out, so that every index is known when this is compiled.
        macro_rules! four_rounds_each {
            ($($n:literal)*) => {$(
                four_rounds(&mut a, block, $n);
                four_rounds(&mut b, other, $n);
            )*};
        }
        four_rounds_each!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        a.abef = _mm_add_epi32(a.abef, before[0]);
        a.cdgh = _mm_add_epi32(a.cdgh, before[1]);
        b.abef = _mm_add_epi32(b.abef, before[2]);
        b.cdgh = _mm_add_epi32(b.cdgh, before[3]);
    }
    store(&a, first);
    store(&b, second);
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn load(state: &[u32; 8]) -> Lane {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    Lane {
        abef: _mm_set_epi32(a, b, e, f),
        cdgh: _mm_set_epi32(c, d, g, h),
        words: [_mm_setzero_si128(); 4],
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn store(lane: &Lane, state: &mut [u32; 8]) {
    let words = |register| {
        let words = [
            _mm_extract_epi32::<3>(register),
            _mm_extract_epi32::<2>(register),
            _mm_extract_epi32::<1>(register),
            _mm_extract_epi32::<0>(register),
        ];
        words.map(i32::cast_unsigned)
    };
    let ([a, b, e, f], [c, d, g, h]) = (words(lane.abef), words(lane.cdgh));
    *state = [a, b, c, d, e, f, g, h];
}

/// The rounds `4 * n` to `4 * n + 3`.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four_rounds(lane: &mut Lane, block: &Block, n: usize) {
    let words = &mut lane.words;
    let (now, next, last) = (n % 4, (n + 1) % 4, (n + 3) % 4);
    words[now] = if n < 4 {
        four_words(block, n)
    } else {
        let sum = _mm_sha256msg1_epu32(words[now], words[next]);
        let seven_back = _mm_alignr_epi8::<4>(words[last], words[(n + 2) % 4]);
        _mm_sha256msg2_epu32(_mm_add_epi32(sum, seven_back), words[last])
    };
    let k = |i: usize| K[4 * n + i].cast_signed();
    let constants = _mm_set_epi32(k(3), k(2), k(1), k(0));
    let added = _mm_add_epi32(words[now], constants);
    lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, added);
    lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32::<0x0e>(added));
}

/// Four big-endian words of a block: compiled to one load and one shuffle.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn four_words(block: &Block, n: usize) -> __m128i {
    let half = |at| i64::from_le_bytes(block.as_chunks().0[at]);
    let bytes = _mm_set_epi64x(half(2 * n + 1), half(2 * n));
    let swapped = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(bytes, swapped)
}
