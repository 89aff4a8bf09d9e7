//! What hosts have shown about the bodies that they take, so that each lesson is paid for once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::transport::http::Origin;

/// The longest chunk, in bytes: what is sent again at most after a break on a registry that keeps
/// whole chunks only.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The shortest chunk that is tried: proxies allow 1 MiB unless they are told otherwise, some a
/// little less.
const SHORTEST: u64 = 512 * 1024;

/// The most that GitHub's registry takes in a PATCH. It says so with 416.
pub(super) const COMMON_LIMIT: u64 = 4 * 1024 * 1024;

/// The shortest body that was refused, by host.
#[derive(Debug, Default)]
pub(crate) struct Habits(Mutex<HashMap<Origin, u64>>);

impl Habits {
    /// The longest part that a host takes of a blob of `size` bytes: all of it, as long as nothing
    /// shorter was refused. Nothing if no part can be accepted.
    pub(super) fn longest_part(&self, place: &Url, size: u64, minimum: u64) -> Option<u64> {
        let Some(refused) = self.refused(place).filter(|refused| size >= *refused) else {
            return Some(size);
        };
        let lengths = std::iter::successors(Some(LONGEST), |length| Some(length / 2));
        let mut lengths = lengths.take_while(|length| *length >= SHORTEST);
        let length = lengths.find(|length| *length < refused)?.max(minimum);
        (length < refused).then_some(length)
    }

    /// The shortest body that a host refused.
    pub(super) fn refused(&self, place: &Url) -> Option<u64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&Origin::of(place)?).copied()
    }

    /// A body was too long.
    pub(super) fn refuses(&self, place: &Url, length: u64) {
        let Some(origin) = Origin::of(place) else {
            return;
        };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shortest = known.entry(origin).or_insert(length);
        *shortest = length.min(*shortest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn parts_become_shorter_until_they_are_accepted() {
        let place = Url::parse("https://h/v2/m/blobs/uploads/1").unwrap();
        let other = Url::parse("https://h:8443/").unwrap();
        let habits = Habits::default();
        let part = |size| habits.longest_part(&place, size, 0);
        assert_eq!(part(1 << 40), Some(1 << 40));
        for (refused, next) in [(1 << 40, 16), (16 * MIB, 8), (8 * MIB, 4), (4 * MIB, 2)] {
            habits.refuses(&place, refused);
            assert_eq!(part(1 << 40), Some(next * MIB));
        }
        assert_eq!(part(3 * MIB), Some(3 * MIB), "not known to be too long");
        assert_eq!(habits.longest_part(&place, 1 << 40, 3 * MIB), Some(3 * MIB));
        assert_eq!(habits.longest_part(&place, 1 << 40, 5 * MIB), None);
        assert_eq!(habits.longest_part(&other, 1 << 40, 0), Some(1 << 40));
        habits.refuses(&place, 1 << 40);
        assert_eq!(habits.refused(&place), Some(4 * MIB));
        habits.refuses(&place, SHORTEST);
        assert_eq!(part(1 << 40), None);
    }
}
