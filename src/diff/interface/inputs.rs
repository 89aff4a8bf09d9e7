//! Whether inputs take less than they took.

use std::collections::HashMap;

use super::Why;
use super::pairs::Pair;
use crate::model::Dimension;

/// A dimension of an input: its name, which dimension, and how it was declared before.
type Seen<'a> = (&'a str, usize, &'a Dimension);

/// For each input, what it took and takes no longer. A symbol that B uses twice ties two dimensions:
/// that is fine only where A knew them to be equal.
pub(super) fn narrower(pairs: &[Pair<'_>]) -> Vec<Option<Why>> {
    let mut seen: HashMap<&str, Seen<'_>> = HashMap::new();
    pairs.iter().map(|pair| of_pair(*pair, &mut seen)).collect()
}

fn of_pair<'a>(pair: Pair<'a>, seen: &mut HashMap<&'a str, Seen<'a>>) -> Option<Why> {
    match (&pair.before.shape, &pair.after.shape) {
        (_, None) => return None,
        (Some(before), Some(after)) if before.len() == after.len() => {}
        _ => return Some(Why::Rank),
    }
    let mut why = None;
    for (at, before, after) in pair.dimensions() {
        let fault = match after {
            Dimension::Fixed(_) => (before != after).then_some(Why::Dimension(at)),
            Dimension::Unknown(()) => None,
            Dimension::Symbol(symbol) => {
                let name = pair.before.name.as_str();
                let first = *seen.entry(symbol).or_insert((name, at, before));
                let is_first = (first.0, first.1) == (name, at);
                let (other, there) = (first.0.to_owned(), first.1);
                (!is_first && !equal(first.2, before)).then_some(Why::Tied(at, other, there))
            }
        };
        why = why.or(fault);
    }
    why
}

/// Whether two dimensions of one graph are surely equal.
fn equal(one: &Dimension, other: &Dimension) -> bool {
    one == other && !matches!(one, Dimension::Unknown(()))
}
