//! The interfaces of two versions of one graph.

use super::change::{At, InterfaceChange, Kind, Signature, Why};
use super::pairs::{Pair, named, pairs};
use super::{inputs, outputs};
use crate::model::{Interface, Value};

/// What changed, in the order of the inputs, then of the outputs.
pub(super) fn compare(path: &str, a: &Interface, b: &Interface) -> Vec<InterfaceChange> {
    let ins = pairs(&a.inputs, &b.inputs);
    let outs = pairs(&a.outputs, &b.outputs);
    let (ins_back, outs_back) = (swapped(&ins), swapped(&outs));
    let mut changes = Changes {
        path,
        list: Vec::new(),
    };
    changes.lists(At::Input, &a.inputs, &b.inputs);
    let both_ways = (inputs::narrower(&ins), inputs::narrower(&ins_back));
    changes.values(At::Input, &ins, both_ways);
    changes.lists(At::Output, &a.outputs, &b.outputs);
    let both_ways = (
        outputs::wider(&ins, &outs),
        outputs::wider(&ins_back, &outs_back),
    );
    changes.values(At::Output, &outs, both_ways);
    changes.list
}

/// From B to A.
fn swapped<'a>(pairs: &[Pair<'a>]) -> Vec<Pair<'a>> {
    pairs.iter().map(|pair| pair.swapped()).collect()
}

/// The changes of one graph so far.
struct Changes<'a> {
    path: &'a str,
    list: Vec<InterfaceChange>,
}

impl Changes<'_> {
    fn add(&mut self, at: At, kind: Kind, breaks: bool) -> &mut InterfaceChange {
        let mut change = InterfaceChange::of_graph(self.path, kind, breaks);
        change.at = at;
        let index = self.list.len();
        self.list.push(change);
        &mut self.list[index]
    }

    /// What was added and removed, and whether positions changed.
    fn lists(&mut self, at: At, before: &[Value], after: &[Value]) {
        let (old, new) = (named(before), named(after));
        for value in before.iter().filter(|it| !new.contains_key(&*it.name)) {
            let change = self.add(at, Kind::Removed, true);
            change.name = Some(value.name.clone());
            change.before = Some(Signature(value.clone()));
        }
        for value in after.iter().filter(|it| !old.contains_key(&*it.name)) {
            let change = self.add(at, Kind::Added, at == At::Input);
            change.name = Some(value.name.clone());
            change.after = Some(Signature(value.clone()));
        }
        let kept = before.iter().filter(|value| new.contains_key(&*value.name));
        let kept: Vec<&str> = kept.map(|value| &*value.name).collect();
        let stay = { after.iter().map(|value| &*value.name) }.take(kept.len());
        if !stay.eq(kept.iter().copied()) {
            self.add(at, Kind::Order, true);
        }
    }

    /// What changed in those that both have. There is something to say of a shape that looks the same
    /// if another one changed what its symbols mean.
    fn values(
        &mut self,
        at: At,
        pairs: &[Pair<'_>],
        (there, back): (Vec<Option<Why>>, Vec<Option<Why>>),
    ) {
        for (pair, (why, back)) in pairs.iter().zip(there.into_iter().zip(back)) {
            let (before, after) = (pair.before, pair.after);
            let (kind, breaks) = match &why {
                _ if before.dtype != after.dtype => (Kind::Dtype, true),
                Some(_) => (Kind::Shape, true),
                None if before.shape == after.shape => continue,
                None if back.is_some() => (Kind::Shape, false),
                None => (Kind::Symbols, false),
            };
            let change = self.add(at, kind, breaks);
            change.name = Some(before.name.clone());
            change.before = Some(Signature(before.clone()));
            change.after = Some(Signature(after.clone()));
            change.why = why.filter(|_| kind == Kind::Shape);
        }
    }
}
