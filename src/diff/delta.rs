//! What was added, removed and changed of things that have a name.

use std::collections::BTreeMap;

use serde::Serialize;

/// What was one thing and is another; absent where there was or is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// In A.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<T>,
    /// In B.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<T>,
}

impl<T: PartialEq> Change<T> {
    /// Nothing if both are the same.
    pub(super) fn of(before: Option<T>, after: Option<T>) -> Option<Self> {
        (before != after).then_some(Self { before, after })
    }
}

/// How many things there are, and how many bytes they have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How many.
    pub count: usize,
    /// In bytes.
    pub bytes: u64,
}

impl Total {
    /// Adds one thing.
    pub(super) fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The sum over the bytes of things.
    pub fn of(bytes: impl IntoIterator<Item = u64>) -> Self {
        let mut total = Self::default();
        bytes.into_iter().for_each(|bytes| total.add(bytes));
        total
    }
}

/// What became of things, each list in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delta<E, C> {
    /// Those that only B has.
    pub added: Vec<E>,
    /// Those that only A has.
    pub removed: Vec<E>,
    /// Those that both have, but not the same.
    pub changed: Vec<C>,
    /// Those that are the same.
    pub unchanged: Total,
}

impl<E, C> Delta<E, C> {
    /// Whether nothing was added, removed or changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Pairs what has the same name, in the order of names.
pub(super) fn paired<K: Ord, V>(
    a: impl IntoIterator<Item = (K, V)>,
    b: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<K, (Option<V>, Option<V>)> {
    let mut pairs: BTreeMap<K, (Option<V>, Option<V>)> = BTreeMap::new();
    for (name, value) in a {
        pairs.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in b {
        pairs.entry(name).or_default().1 = Some(value);
    }
    pairs
}
