//! Copies a graph of blobs from one store into another: push, pull and cp are this one verb.
//!
//! root document → every blob it needs in the sink, then every document, children before parents,
//! the root last. So nothing incomplete is ever reachable: a copy that dies leaves garbage, never a
//! lie. Tagging is the caller's last step.

use super::error::Side;
use super::flight::{Jobs, Moved, fly, largest_first};
use super::manifest::push_manifest;
use super::remote::copy_blob;
use super::target::{Outcome, Target};
use super::{CopyReport, TransferError};
use crate::oci::{Digest, Document};
use crate::store::{Graph, Node, Referrers, Storage};
use crate::{Error, Result};

/// How a copy is made.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// How many blobs are in flight at a time.
    pub jobs: Jobs,
    /// Whether what refers to the root, and to what is copied with it, is copied too.
    pub referrers: bool,
    /// Repositories of the sink's registry that may have the blobs: they are mounted from there.
    pub mount_from: Vec<String>,
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
    let target = Target::new(sink, &options.mount_from);
    let has_root = sink.exists(&root.descriptor()).await;
    let has_root = has_root.map_err(Side::Destination.failed(&root.digest()))?;
    let is_alone = graph.referrers == 0 && root.subject().is_none();
    if has_root && is_alone && sink.keeps_graphs() {
        let documents = graph.documents.iter().map(|node| &node.descriptor);
        let blobs = graph.blobs.iter().chain(documents);
        report.count_spared(sink, &root.descriptor(), blobs);
        return Ok(report);
    }
    let space = sink.check_space(&graph.blobs).await;
    space.map_err(Side::Destination.failed(&root.digest()))?;
    graph.blobs.sort_by_key(|blob| blob.digest);
    let blobs = largest_first(graph.blobs.clone(), |blob| blob.size);
    let copy = async |blob, moved| {
        let outcome = copy_blob(source, &target, &blob, &moved).await?;
        Ok((blob, outcome))
    };
    let count = |(blob, outcome)| {
        report.count(&blob, outcome);
        Ok::<_, TransferError>(())
    };
    fly(blobs, (options.jobs, || sink.is_far()), copy, count).await?;
    for node in &graph.documents {
        let exists = (node.descriptor.digest == root.digest()).then_some(has_root);
        let bring = |blob| copy_again(source, &target, &graph, blob);
        let outcome = push_document(sink, (node, exists), bring).await?;
        report.count(&node.descriptor, outcome);
    }
    Ok(report)
}

/// Pushes a document, and says whether it was there before, which is asked unless it is known. One
/// with a subject is pushed in any case, since pushing it is what makes it found by its subject.
async fn push_document<D: Storage, F: Future<Output = Result<bool>>>(
    sink: &D,
    (node, exists): (&Node, Option<bool>),
    bring: impl Fn(Digest) -> F,
) -> Result<Outcome, TransferError> {
    let failed = || Side::Destination.failed(&node.descriptor.digest);
    let exists = match exists {
        Some(exists) => exists,
        None => sink.exists(&node.descriptor).await.map_err(failed())?,
    };
    if !exists || node.document.subject().is_some() {
        let pushed = push_manifest(sink, &node.document, bring).await;
        pushed.map_err(failed())?;
    }
    Ok(match exists {
        true => Outcome::Present,
        false => Outcome::Pushed,
    })
}

/// Copies a blob or a document of the graph though the target says that it has it; `false` if it is
/// none of them.
async fn copy_again<S: Storage, D: Storage>(
    source: &S,
    target: &Target<'_, D>,
    graph: &Graph,
    digest: Digest,
) -> Result<bool> {
    let documents = graph.documents.iter().map(|node| &node.descriptor);
    let mut blobs = graph.blobs.iter().chain(documents);
    let Some(blob) = blobs.find(|blob| blob.digest == digest) else {
        return Ok(false);
    };
    let copied = copy_blob(source, &target.doubted(), blob, &Moved::default()).await;
    copied.map(|_| true).map_err(Error::from)
}
