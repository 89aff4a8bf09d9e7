use std::collections::HashSet;

use super::*;
use crate::oci::Digest;

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A sorted list of items as a model of many small tensors gives it.
fn list(random: &mut Random, count: u64) -> Vec<Item> {
    (0..count)
        .map(|n| {
            let name = [n, random.below(u64::from(u32::MAX))].map(u64::to_le_bytes);
            let digest = Digest::sha256(name.as_flattened());
            Item {
                mark: u64::from_be_bytes(*digest.value().first_chunk().unwrap()),
                length: 1024 + random.below(MIB - 1024),
            }
        })
        .collect()
}

/// The shards as lists of marks: what decides their content.
fn shards(items: &[Item]) -> HashSet<Vec<u64>> {
    let shards = cut(items).into_iter();
    shards
        .map(|range| items[range].iter().map(|item| item.mark).collect())
        .collect()
}

fn size(items: &[Item]) -> u64 {
    lay_out(items.iter().map(|item| item.length)).1
}

#[test]
fn shards_cover_the_list_within_their_bounds() {
    let items = list(&mut Random(1), 3000);
    let ranges = cut(&items);
    let mut end = 0;
    for (n, range) in ranges.iter().enumerate() {
        assert_eq!(range.start, end);
        end = range.end;
        let size = size(&items[range.clone()]);
        assert!(size <= LONGEST, "shard {n} of {size} bytes");
        assert!(
            size >= SHORTEST || n + 1 == ranges.len(),
            "shard {n} of {size} bytes"
        );
    }
    assert_eq!(end, items.len());
}

#[test]
fn removing_or_inserting_tensors_keeps_nearly_all_shards() {
    let mut random = Random(2);
    let items = list(&mut random, 4000);
    let before = shards(&items);
    let rounds = 60;
    let mut sum = 0;
    for round in 0..rounds {
        let at = random.below(items.len() as u64) as usize;
        let mut changed = items.clone();
        if round % 2 == 0 {
            changed.remove(at);
        } else {
            changed.insert(at, list(&mut random, 1)[0]);
        }
        let after = shards(&changed);
        let lost = before.difference(&after).count();
        let all = before.len();
        assert!(lost <= 10, "round {round}: {lost} of {all} shards lost");
        sum += lost;
    }
    assert!(
        sum < 2 * rounds as usize,
        "{sum} shards lost in {rounds} rounds"
    );
}

#[test]
fn shards_before_a_change_stay() {
    let items = list(&mut Random(3), 2000);
    let mut extended = items.clone();
    extended.push(Item {
        mark: 1,
        length: 5000,
    });
    let lost = shards(&items).difference(&shards(&extended)).count();
    assert!(lost <= 2, "{lost} shards lost to a tensor at the end");
}

#[test]
fn tensor_longer_than_a_shard_stands_alone() {
    let item = |length| Item { mark: 0, length };
    assert_eq!(
        cut(&[item(40 * MIB), item(5), item(40 * MIB), item(20 * MIB)]),
        [0..1, 1..2, 2..3, 3..4]
    );
    assert_eq!(cut(&[item(u64::MAX), item(u64::MAX)]), [0..1, 1..2]);
    assert!(cut(&[]).is_empty());
}

#[test]
fn rest_that_fits_is_one_shard() {
    let item = |length| Item { mark: 0, length };
    assert_eq!(cut(&[item(9 * MIB), item(7 * MIB)]).len(), 1);
    assert_eq!(cut(&[item(9 * MIB), item(7 * MIB + 1)]), [0..1, 1..2]);
}

#[test]
fn threshold_leaves_at_most_512_alone() {
    assert_eq!(threshold([]), MIB);
    assert_eq!(threshold(vec![100 * MIB; 512]), MIB);
    assert_eq!(threshold(vec![MIB - 1; 5000]), MIB);
    assert_eq!(threshold(vec![MIB; 513]), 2 * MIB);
    assert_eq!(threshold(vec![2 * MIB; 513]), 4 * MIB);
    assert_eq!(threshold(vec![3 * MIB; 513]), 4 * MIB);
    assert_eq!(threshold(vec![u64::MAX; 513]), u64::MAX);
}

#[test]
fn regions_begin_at_pages_and_nothing_follows_the_last() {
    assert_eq!(lay_out([1, 4096, 5]), (vec![0, 4096, 8192], 8197));
    assert_eq!(lay_out([]), (vec![], 0));
}
