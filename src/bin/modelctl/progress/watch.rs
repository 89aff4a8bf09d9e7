//! Chooses who is told of what moves.

use std::sync::Arc;

use modelctl::oci::{Descriptor, Document, Kind};
use modelctl::store::{Progress, WithProgress};

use super::bars::Bars;
use super::events::Events;
use super::lines::Lines;
use crate::output::Style;

/// Reports what moves into or out of a store as long as the result lives. `total` is how many bytes
/// are expected to move.
pub(crate) fn watch<S>(store: S, total: u64, style: Style) -> WithProgress<S> {
    WithProgress::new(store, reporter(total, style))
}

/// Chooses what is shown.
fn reporter(total: u64, style: Style) -> Arc<dyn Progress> {
    match style {
        Style { quiet: true, .. } => Arc::new(Silent),
        Style { json: true, .. } => Arc::new(Events::new(total)),
        Style { progress: true, .. } => Arc::new(Bars::new(total)),
        _ => Arc::new(Lines::new(total)),
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
    fn started(&self, _: &Descriptor) {}
    fn advanced(&self, _: &Descriptor, _: u64) {}
    fn finished(&self, _: &Descriptor) {}
    fn skipped(&self, _: &Descriptor) {}
}
