//! What is hashed in which pass.
//!
//! ```text
//! file      ├──────────────── whole: its own digest ────────────────┤
//! contents        ├─ shard ─┤      ├───── shard ─────┤   ├─ shard ─┤
//! ```
//!
//! A file that is split is wanted as a whole, and so are ranges of it. They are read once, and what was
//! read is hashed for both. All else is read for itself.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::Segments;

/// Shorter ranges are read for themselves: a pass would be more trouble than a second read.
const SHORTEST: u64 = 1024 * 1024;

/// Contents that are hashed together, by index.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// One content.
    Alone(usize),
    /// A whole file, and ranges of it that do not overlap, in order.
    File(usize, Vec<Range>),
}

/// A range of a file that is a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) content: usize,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Puts the wanted contents into passes, the longest first, so that threads end together.
pub(super) fn passes(contents: &[Segments], wanted: &[usize]) -> Vec<Pass> {
    // By file, which all contents share that were made from it.
    let mut ranges: HashMap<_, Vec<Range>> = HashMap::new();
    for &content in wanted {
        if let Some((file, offset, length)) = contents[content].only_range()
            && (SHORTEST..file.size).contains(&length)
        {
            let ranges = ranges.entry(Arc::as_ptr(file)).or_default();
            ranges.push(Range {
                content,
                offset,
                length,
            });
        }
    }
    let mut is_taken = vec![false; contents.len()];
    let mut passes = Vec::new();
    for &whole in wanted {
        let Some((file, 0, length)) = contents[whole].only_range() else {
            continue;
        };
        if length != file.size {
            continue;
        }
        if let Some(ranges) = ranges.remove(&Arc::as_ptr(file)) {
            let ranges = disjoint(ranges);
            for content in ranges.iter().map(|range| range.content).chain([whole]) {
                is_taken[content] = true;
            }
            passes.push(Pass::File(whole, ranges));
        }
    }
    let alone = wanted.iter().filter(|content| !is_taken[**content]);
    passes.extend(alone.map(|content| Pass::Alone(*content)));
    passes.sort_by_key(|pass| match pass {
        Pass::Alone(content) | Pass::File(content, _) => Reverse(contents[*content].size()),
    });
    passes
}

/// The ranges in order, without those that begin in an earlier one.
fn disjoint(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_by_key(|range| (range.offset, Reverse(range.length)));
    let mut end = 0;
    ranges.retain(|range| {
        let is_free = range.offset >= end;
        if is_free {
            end = range.offset + range.length;
        }
        is_free
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::ModelFile;
    use crate::plan::content::Segment;

    const M: u64 = SHORTEST;

    #[test]
    fn ranges_go_with_their_file_and_the_rest_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let location = folder.path().join(name);
            let made = std::fs::File::create(&location).unwrap();
            made.set_len(16 * M).unwrap();
            Arc::new(ModelFile::new(name.parse().unwrap(), location).unwrap())
        };
        let (a, b) = (file("a"), file("b"));
        let range = |file: &Arc<ModelFile>, offset, length| {
            let file = Arc::clone(file);
            Segments::from_iter([Segment::Range {
                file,
                offset,
                length,
            }])
        };
        let contents = [
            range(&a, 8 * M, 4 * M),
            Segments::whole(&a),
            range(&a, 0, 2 * M),
            range(&a, M, 2 * M),      // overlaps
            range(&a, 13 * M, M - 1), // short
            range(&b, 0, 5 * M),      // its file is not wanted whole
            Segments::from(b"bytes".to_vec()),
            range(&a, 12 * M, M),
        ];
        let found = passes(&contents, &[0, 1, 2, 3, 4, 5, 6]);
        let part = |content, offset, length| Range {
            content,
            offset,
            length,
        };
        let expected = [
            Pass::File(1, vec![part(2, 0, 2 * M), part(0, 8 * M, 4 * M)]),
            Pass::Alone(5),
            Pass::Alone(3),
            Pass::Alone(4),
            Pass::Alone(6),
        ];
        assert_eq!(found, expected);
    }
}
