//! The dimensions that both versions of a graph have, side by side.

use std::collections::HashMap;

use crate::model::{Dimension, Value};

/// An input or output that both versions have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) before: &'a Value,
    pub(super) after: &'a Value,
}

impl<'a> Pair<'a> {
    /// The same the other way round.
    pub(super) fn swapped(self) -> Self {
        Self {
            before: self.after,
            after: self.before,
        }
    }

    /// The dimensions, where both have the same rank.
    pub(super) fn dimensions(
        self,
    ) -> impl Iterator<Item = (usize, &'a Dimension, &'a Dimension)> + use<'a> {
        let shapes = self.before.shape.as_ref().zip(self.after.shape.as_ref());
        let shapes = shapes.filter(|(before, after)| before.len() == after.len());
        let zipped = shapes.into_iter().flat_map(|(a, b)| a.iter().zip(b));
        zipped.enumerate().map(|(at, (a, b))| (at, a, b))
    }
}

/// Those of two lists that have the same name, in the order of the first.
pub(super) fn pairs<'a>(before: &'a [Value], after: &'a [Value]) -> Vec<Pair<'a>> {
    let by_name: HashMap<&str, &Value> = named(after);
    let both = before.iter().filter_map(|before| {
        let after = by_name.get(before.name.as_str())?;
        Some(Pair { before, after })
    });
    both.collect()
}

/// By name; of two with one name the first counts.
pub(super) fn named(values: &[Value]) -> HashMap<&str, &Value> {
    let backwards = values.iter().rev();
    backwards
        .map(|value| (value.name.as_str(), value))
        .collect()
}
