//! Copies a graph of blobs from one store into another: push, pull and cp are this one verb.
//!
//! root document → every blob it needs in the sink, then every document, children before parents,
//! the root last. So nothing incomplete is ever reachable: a copy that dies leaves garbage, never a
//! lie. Tagging is the caller's last step.

use super::deliver::Outcome;
use super::error::Side;
use super::flight::{Jobs, fly, largest_first};
use super::remote::copy_blob;
use super::{CopyReport, TransferError};
use crate::Result;
use crate::oci::Document;
use crate::store::{Graph, Node, Referrers, Storage};

/// How a copy is made.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// How many blobs are in flight at a time.
    pub jobs: Jobs,
    /// Whether what refers to the root, and to what is copied with it, is copied too.
    pub referrers: bool,
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
    let space = sink.check_space(&graph.blobs).await;
    space.map_err(Side::Destination.failed(&root.digest()))?;
    graph.blobs.sort_by_key(|blob| blob.digest);
    let blobs = largest_first(graph.blobs, |blob| blob.size);
    let copy = async |blob, moved| {
        let outcome = copy_blob(source, sink, &blob, &moved).await?;
        Ok((blob, outcome))
    };
    let count = |(blob, outcome)| {
        report.count(&blob, outcome);
        Ok::<_, TransferError>(())
    };
    fly(blobs, options.jobs, copy, count).await?;
    for node in &graph.documents {
        let outcome = push_document(sink, node).await?;
        report.count(&node.descriptor, outcome);
    }
    Ok(report)
}

/// Pushes a document, and says whether it was there before. One with a subject is pushed in any
/// case, since pushing it is what makes it found by its subject.
async fn push_document<D: Storage>(sink: &D, node: &Node) -> Result<Outcome, TransferError> {
    let blob = &node.descriptor;
    let failed = || Side::Destination.failed(&blob.digest);
    let exists = sink.exists(blob).await.map_err(failed())?;
    if !exists || node.document.subject().is_some() {
        let pushed = sink.push(blob, &node.document.raw().to_vec()).await;
        pushed.map_err(failed())?;
    }
    Ok(match exists {
        true => Outcome::Present,
        false => Outcome::Pushed,
    })
}
