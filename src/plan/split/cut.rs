//! The cutter: where shards end. Its result is part of the artifact's form.
//!
//! Regions of [`threshold`] bytes or more stand alone. The rest, sorted by identity, is cut at
//! points that the identities decide: within the window of 8 to 16 MiB from the start of a shard,
//! before the identity with the smallest mark. Two versions of a model whose lists differ somewhere
//! soon choose the same point again, since their windows overlap, and agree from there on.

use std::ops::Range;

use crate::model::SHARD_ALIGNMENT;

/// Tensors below this never stand alone: a blob costs a registry about as much as 1 MiB does.
const SMALLEST_ALONE: u64 = MIB;
/// How many tensors stand alone at most.
const MAX_ALONE: usize = 512;
/// A shard has at least this much, unless the next tensor would take it past the longest.
const SHORTEST: u64 = 8 * MIB;
/// A shard has at most this much, unless it is one tensor.
const LONGEST: u64 = 16 * MIB;
const MIB: u64 = 1024 * 1024;

/// What the cutter knows of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// The mark of its identity.
    pub(super) mark: u64,
    /// Its length in bytes.
    pub(super) length: u64,
}

/// The length from which regions stand alone: the smallest power of two, 1 MiB or more, that
/// leaves at most 512 of them.
pub(super) fn threshold(lengths: impl IntoIterator<Item = u64>) -> u64 {
    let mut longest: Vec<u64> = lengths.into_iter().collect();
    longest.sort_unstable_by(|a, b| b.cmp(a));
    match longest.get(MAX_ALONE) {
        Some(&first_too_many) if first_too_many >= SMALLEST_ALONE => {
            let above = first_too_many.saturating_add(1);
            above.checked_next_power_of_two().unwrap_or(u64::MAX)
        }
        _ => SMALLEST_ALONE,
    }
}

/// Cuts a list into shards.
pub(super) fn cut(items: &[Item]) -> Vec<Range<usize>> {
    let mut shards = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let end = start + first_shard(&items[start..]);
        shards.push(start..end);
        start = end;
    }
    shards
}

/// How many items the first shard of a list takes.
fn first_shard(items: &[Item]) -> usize {
    let mut size = 0;
    let mut best: Option<(u64, usize)> = None;
    for (index, item) in items.iter().enumerate() {
        if size >= SHORTEST && best.is_none_or(|(mark, _)| item.mark < mark) {
            best = Some((item.mark, index));
        }
        size = align(size).saturating_add(item.length);
        if size > LONGEST {
            return best.map_or(index.max(1), |(_, index)| index);
        }
    }
    items.len()
}

/// Where each region of a shard begins, in bytes, and where the last one ends.
pub(super) fn lay_out(lengths: impl IntoIterator<Item = u64>) -> (Vec<u64>, u64) {
    let mut end = 0;
    let offsets = lengths
        .into_iter()
        .map(|length| {
            let offset = align(end);
            end = offset + length;
            offset
        })
        .collect();
    (offsets, end)
}

fn align(offset: u64) -> u64 {
    offset.next_multiple_of(SHARD_ALIGNMENT)
}

#[cfg(test)]
mod tests;
