//! Shows what moves while it moves: bars on a terminal, a line now and then where nobody watches,
//! events with `--json`, nothing with `--quiet`.
//!
//! The library tells a [`Progress`](modelctl::store::Progress) about each blob; what it shows is gone
//! when it is dropped.

mod bars;
mod events;
mod hashing;
mod lines;
mod screen;
mod tally;

use std::sync::Arc;

use modelctl::oci::{Document, Kind};
use modelctl::store::{Progress, WithProgress};

use crate::output::Style;

pub(crate) use events::{log as log_event, warning as warning_event};
pub(crate) use hashing::show_hashing;
pub(crate) use screen::{Stderr, clear};

/// Reports what moves into or out of a store as long as the result lives. `total` is how many bytes
/// are expected to move.
pub(crate) fn watch<S>(store: S, total: u64, style: Style) -> WithProgress<S> {
    WithProgress::new(store, reporter(total, style))
}

fn reporter(total: u64, style: Style) -> Arc<dyn Progress> {
    match style {
        Style { quiet: true, .. } => Arc::new(Silent),
        Style { json: true, .. } => Arc::new(events::Events::new(total)),
        Style { progress: true, .. } => Arc::new(bars::Bars::new(total)),
        _ => Arc::new(lines::Lines::new(total)),
    }
}

/// How many bytes the blobs of an artifact have.
pub(crate) fn size_of(document: &Document) -> u64 {
    match document.kind() {
        Kind::Manifest(manifest) => manifest.blobs().map(|blob| blob.size).sum(),
        // What its manifests need is not known yet: the total grows.
        Kind::Index(_) => 0,
    }
}

/// Shows nothing.
struct Silent;

impl Progress for Silent {
    fn started(&self, _: &modelctl::oci::Descriptor) {}
    fn advanced(&self, _: &modelctl::oci::Descriptor, _: u64) {}
    fn finished(&self, _: &modelctl::oci::Descriptor) {}
    fn skipped(&self, _: &modelctl::oci::Descriptor) {}
}
