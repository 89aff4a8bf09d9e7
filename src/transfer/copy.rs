//! Copies a graph of blobs from one store into another: push, pull and cp are this one verb.
//!
//! root document → every blob it needs in the sink, then every document, children before parents,
//! the root last. So nothing incomplete is ever reachable: a copy that dies leaves garbage, never a
//! lie. Tagging is the caller's last step.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::TransferError;
use super::error::Side;
use super::push::push;
use crate::Result;
use crate::oci::{Descriptor, Document};
use crate::store::{Graph, Node, Referrers, Storage};

/// Blobs in flight: more gained nothing against any registry measured, fewer lost up to a third.
const DEFAULT_JOBS: usize = 4;

/// How a copy is made.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// How many blobs are in flight at a time; at least one is.
    pub jobs: usize,
    /// Whether what refers to the root, and to what is copied with it, is copied too.
    pub referrers: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            jobs: DEFAULT_JOBS,
            referrers: false,
        }
    }
}

/// What a copy did. Manifests count as blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// How many blobs were copied.
    pub copied: usize,
    /// How many were there already.
    pub skipped: usize,
    /// How many bytes the copied ones have.
    pub bytes: u64,
    /// How many manifests came along because they refer to others.
    pub referrers: usize,
}

impl CopyReport {
    fn count(&mut self, blob: &Descriptor, copied: bool) {
        if copied {
            self.copied += 1;
            self.bytes += blob.size;
        } else {
            self.skipped += 1;
        }
    }
}

/// Copies a document with everything it needs. A failure names the side that failed.
pub async fn copy<S: Storage + Referrers, D: Storage>(
    source: &S,
    sink: &D,
    root: &Document,
    options: &CopyOptions,
) -> Result<CopyReport> {
    let walked = if options.referrers {
        Graph::walk_with_referrers(source, root).await
    } else {
        Graph::walk(source, root).await
    };
    let mut graph = walked.map_err(Side::Source.failed(&root.digest()))?;
    let mut report = CopyReport {
        referrers: graph.referrers,
        ..CopyReport::default()
    };
    // The largest first, so that none of them is left alone at the end.
    let order = |blob: &Descriptor| (std::cmp::Reverse(blob.size), blob.digest);
    graph.blobs.sort_by_key(order);
    let mut outcomes = stream::iter(graph.blobs)
        .map(|blob| copy_blob(source, sink, blob))
        .buffer_unordered(options.jobs.max(1));
    while let Some((blob, copied)) = outcomes.try_next().await? {
        report.count(&blob, copied);
    }
    for node in &graph.documents {
        let copied = push_document(sink, node).await?;
        report.count(&node.descriptor, copied);
    }
    Ok(report)
}

/// Copies a blob unless it is there, and says whether it was copied.
async fn copy_blob<S: Storage, D: Storage>(
    source: &S,
    sink: &D,
    blob: Descriptor,
) -> Result<(Descriptor, bool), TransferError> {
    let exists = sink.exists(&blob).await;
    if exists.map_err(Side::Destination.failed(&blob.digest))? {
        return Ok((blob, false));
    }
    push(source, sink, &blob).await?;
    Ok((blob, true))
}

/// Pushes a document, and says whether it was not there before. One with a subject is pushed in any
/// case, since pushing it is what makes it found by its subject.
async fn push_document<D: Storage>(sink: &D, node: &Node) -> Result<bool, TransferError> {
    let blob = &node.descriptor;
    let failed = || Side::Destination.failed(&blob.digest);
    let exists = sink.exists(blob).await.map_err(failed())?;
    if !exists || node.document.subject().is_some() {
        let pushed = sink.push(blob, &node.document.raw().to_vec()).await;
        pushed.map_err(failed())?;
    }
    Ok(!exists)
}
