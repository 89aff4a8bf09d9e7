//! A progress bar over everything that moves, on a terminal only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use modelctl::oci::{Descriptor, Digest, Document, Kind};
use modelctl::store::{Progress, WithProgress};

use crate::output::Style;

/// What a bar looks like: rate and remaining time are what people look for.
const TEMPLATE: &str =
    "{bar:32} {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta} left";

/// Reports what moves into or out of a place while a copy is made, and is gone afterwards.
pub(crate) fn watch<S>(store: S, total: u64, style: Style) -> WithProgress<S> {
    let target = match style.progress {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    let moved = Mutex::default();
    WithProgress::new(store, Arc::new(Bar { bar, moved }))
}

/// How many bytes the blobs of an artifact have.
pub(crate) fn size_of(document: &Document) -> u64 {
    match document.kind() {
        Kind::Manifest(manifest) => manifest.blobs().map(|blob| blob.size).sum(),
        // What its manifests need is not known yet: the bar grows.
        Kind::Index(_) => 0,
    }
}

struct Bar {
    bar: ProgressBar,
    /// How far each blob is, in bytes.
    moved: Mutex<HashMap<Digest, u64>>,
}

impl Bar {
    fn set(&self, blob: &Descriptor, position: u64) {
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.insert(blob.digest, position);
        let sum = moved
            .values()
            .fold(0, |sum: u64, size| sum.saturating_add(*size));
        self.bar.set_length(self.bar.length().unwrap_or(0).max(sum));
        self.bar.set_position(sum);
    }
}

impl Progress for Bar {
    fn started(&self, blob: &Descriptor) {
        self.set(blob, 0);
    }

    fn advanced(&self, blob: &Descriptor, position: u64) {
        self.set(blob, position);
    }

    fn finished(&self, blob: &Descriptor) {
        self.set(blob, blob.size);
    }

    fn skipped(&self, blob: &Descriptor) {
        self.set(blob, blob.size);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
