//! Whether outputs can be more than was promised.

use std::collections::{HashMap, HashSet};

use super::Why;
use super::pairs::Pair;
use crate::model::Dimension;

/// A dimension of an output of B, as a caller of A sees it, who feeds what A takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length<'a> {
    /// So long.
    Fixed(u64),
    /// As long as what A calls so in its inputs.
    Fed(&'a str),
    /// B calls it so, and no input.
    Own(&'a str),
    /// Nobody knows.
    Any,
}

/// What inputs say about symbols.
struct Fed<'a> {
    /// What A declares where B has a symbol.
    by_new: HashMap<&'a str, &'a Dimension>,
    /// The symbols of A.
    old: HashSet<&'a str>,
}

impl<'a> Fed<'a> {
    fn new(inputs: &[Pair<'a>]) -> Self {
        let mut fed = Self {
            by_new: HashMap::new(),
            old: HashSet::new(),
        };
        for (_, before, after) in inputs.iter().flat_map(|pair| pair.dimensions()) {
            if let Dimension::Symbol(symbol) = before {
                fed.old.insert(symbol);
            }
            if let Dimension::Symbol(symbol) = after {
                fed.by_new.entry(symbol).or_insert(before);
            }
        }
        fed
    }

    fn length(&self, after: &'a Dimension) -> Length<'a> {
        match after {
            Dimension::Fixed(length) => Length::Fixed(*length),
            Dimension::Unknown(()) => Length::Any,
            Dimension::Symbol(symbol) => match self.by_new.get(symbol.as_str()) {
                Some(Dimension::Fixed(length)) => Length::Fixed(*length),
                Some(Dimension::Symbol(fed)) => Length::Fed(fed),
                Some(Dimension::Unknown(())) => Length::Any,
                None => Length::Own(symbol),
            },
        }
    }
}

/// For each output, what it can be now and could not be before.
pub(super) fn wider(inputs: &[Pair<'_>], outputs: &[Pair<'_>]) -> Vec<Option<Why>> {
    let fed = Fed::new(inputs);
    let mut promised: HashMap<&str, Length<'_>> = HashMap::new();
    let whys = outputs
        .iter()
        .map(|pair| of_pair(*pair, &fed, &mut promised));
    whys.collect()
}

fn of_pair<'a>(
    pair: Pair<'a>,
    fed: &Fed<'a>,
    promised: &mut HashMap<&'a str, Length<'a>>,
) -> Option<Why> {
    match (&pair.before.shape, &pair.after.shape) {
        (None, _) => return None,
        (Some(before), Some(after)) if before.len() == after.len() => {}
        _ => return Some(Why::Rank),
    }
    let mut why = None;
    for (at, before, after) in pair.dimensions() {
        let length = fed.length(after);
        let fault = match before {
            Dimension::Fixed(before) => {
                (length != Length::Fixed(*before)).then_some(Why::Dimension(at))
            }
            Dimension::Unknown(()) => None,
            Dimension::Symbol(symbol) if fed.old.contains(symbol.as_str()) => {
                (length != Length::Fed(symbol)).then_some(Why::Untied(at))
            }
            Dimension::Symbol(symbol) => match promised.get(symbol.as_str()) {
                Some(first) => {
                    let kept = *first == length && length != Length::Any;
                    (!kept).then_some(Why::Untied(at))
                }
                None => {
                    promised.insert(symbol, length);
                    None
                }
            },
        };
        why = why.or(fault);
    }
    why
}
