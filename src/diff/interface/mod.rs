//! Whether B is a drop-in for A: whether whoever calls A's graphs can call B's instead.
//!
//! What counts is what the model manifests declare. For every graph of A:
//!
//! | change | breaks, because |
//! |---|---|
//! | the graph is gone | it cannot be called |
//! | an input is new | nobody feeds it |
//! | an input is gone | ONNX Runtime refuses a feed that the graph does not know |
//! | an output is gone | nobody can read it |
//! | the dtype of an input or output is another one | neither feeds nor results are converted |
//! | an input takes less: a fixed dimension where any or another was taken, another rank, or two dimensions that now have to be equal | what A took is refused |
//! | an output can be more: a dimension that is no longer fixed, another rank, or one that no longer follows an input | A promised otherwise |
//! | inputs or outputs of A come in another order, or new outputs between them | many callers go by position |
//!
//! Everything else does not break: a graph or a last output is new, an input takes more, an output
//! can be less, symbols are called otherwise. Symbols are compared by what they tie together: equal
//! symbols of one graph are equal lengths, and an output dimension that B calls after an input is what
//! A's callers feed there.

mod change;
mod graph;
mod inputs;
mod outputs;
mod pairs;
#[cfg(test)]
mod tests;

pub use change::{At, DropIn, InterfaceChange, Kind, Signature, Why};

use super::Side;
use super::delta::paired;
use super::graphs::by_path;

/// The verdict and its reasons, those that break first.
pub(super) fn compare(a: &Side<'_>, b: &Side<'_>) -> (DropIn, Vec<InterfaceChange>) {
    let (Some(old), Some(new)) = (a.model(), b.model()) else {
        return (DropIn::Unknown, Vec::new());
    };
    let mut changes = Vec::new();
    for (path, pair) in paired(by_path(Some(old)), by_path(Some(new))) {
        match pair {
            (Some(before), Some(after)) => {
                changes.extend(graph::compare(path, &before.interface, &after.interface));
            }
            (before, _) => {
                let (kind, breaks) = match before {
                    Some(_) => (Kind::Removed, true),
                    None => (Kind::Added, false),
                };
                changes.push(InterfaceChange::of_graph(path, kind, breaks));
            }
        }
    }
    changes.sort_by_key(|change| !change.breaks);
    let drop_in = match changes.first() {
        // Other formats do not say what they take and give.
        _ if old.graphs.is_empty() => DropIn::Unknown,
        Some(change) if change.breaks => DropIn::No,
        _ => DropIn::Yes,
    };
    (drop_in, changes)
}
