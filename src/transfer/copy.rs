//! Copies a graph of blobs from one store into another: push, pull and cp are this one verb.
//!
//! root document → every blob it needs in the sink, then every document, children before parents,
//! the root last. So nothing incomplete is ever reachable: a copy that dies leaves garbage, never a
//! lie. Tagging is the caller's last step.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::TransferError;
use super::error::Side;
use super::push::push;
use crate::Result;
use crate::oci::{Descriptor, Digest, Document};
use crate::store::{Graph, Node, Referrers, Storage, fetch_document};

/// How many manifests may refer to one root, directly or through others.
const MAX_REFERRERS: usize = 1024;
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
    /// How many referrers were copied or were there already.
    pub referrers: usize,
}

/// Copies a document with everything it needs. A failure names the side that failed.
pub async fn copy<S: Storage + Referrers, D: Storage>(
    source: &S,
    sink: &D,
    root: &Document,
    options: &CopyOptions,
) -> Result<CopyReport> {
    let mut copy = Copy {
        source,
        sink,
        options,
        report: CopyReport::default(),
    };
    let graph = copy.walk(root).await?;
    if options.referrers {
        copy.referrers(&graph).await?;
    }
    copy.graph(&graph).await?;
    Ok(copy.report)
}

struct Copy<'a, S, D> {
    source: &'a S,
    sink: &'a D,
    options: &'a CopyOptions,
    report: CopyReport,
}

impl<S: Storage + Referrers, D: Storage> Copy<'_, S, D> {
    async fn walk(&self, root: &Document) -> Result<Graph, TransferError> {
        let graph = Graph::walk(self.source, root).await;
        graph.map_err(Side::Source.failed(&root.digest()))
    }

    async fn graph(&mut self, graph: &Graph) -> Result<(), TransferError> {
        self.blobs(graph.blobs.clone()).await?;
        for node in &graph.documents {
            self.document(node).await?;
        }
        Ok(())
    }

    /// Copies blobs concurrently, the largest first, so that none of them is left alone at the end.
    async fn blobs(&mut self, mut blobs: Vec<Descriptor>) -> Result<(), TransferError> {
        blobs.sort_by_key(|blob| (std::cmp::Reverse(blob.size), blob.digest));
        let (source, sink) = (self.source, self.sink);
        let mut outcomes = stream::iter(blobs)
            .map(|blob| copy_blob(source, sink, blob))
            .buffer_unordered(self.options.jobs.max(1));
        while let Some((size, copied)) = outcomes.try_next().await? {
            count(&mut self.report, size, copied);
        }
        Ok(())
    }

    /// Pushes a document. One with a subject is pushed even if it is there, since pushing it is
    /// what makes it found by its subject.
    async fn document(&mut self, node: &Node) -> Result<(), TransferError> {
        let Node {
            descriptor,
            document,
        } = node;
        let failed = || Side::Destination.failed(&descriptor.digest);
        let exists = self.sink.exists(descriptor).await.map_err(failed())?;
        if !exists || document.subject().is_some() {
            let pushed = self.sink.push(descriptor, &document.raw().to_vec()).await;
            pushed.map_err(failed())?;
        }
        count(&mut self.report, descriptor.size, !exists);
        Ok(())
    }

    /// Copies what refers to the documents of a graph, and what refers to that, and so on.
    async fn referrers(&mut self, graph: &Graph) -> Result<(), TransferError> {
        let digests = graph.documents.iter().map(|node| node.descriptor.digest);
        let mut subjects: Vec<Digest> = digests.rev().collect();
        let root = subjects[0];
        let mut seen: HashSet<Digest> = subjects.iter().copied().collect();
        while let Some(subject) = subjects.pop() {
            let listed = self.source.referrers(&subject).await;
            for referrer in listed.map_err(Side::Source.failed(&subject))? {
                if !seen.insert(referrer.digest) {
                    continue;
                }
                if self.report.referrers == MAX_REFERRERS {
                    let limit = MAX_REFERRERS;
                    return Err(TransferError::TooManyReferrers { root, limit });
                }
                self.referrer(&referrer, &subject).await?;
                subjects.push(referrer.digest);
            }
        }
        Ok(())
    }

    async fn referrer(&mut self, listed: &Descriptor, to: &Digest) -> Result<(), TransferError> {
        let fetched = fetch_document(self.source, listed).await;
        let document = fetched.map_err(Side::Source.failed(&listed.digest))?;
        if document
            .subject()
            .is_none_or(|subject| subject.digest != *to)
        {
            return Err(TransferError::NotReferrer {
                referrer: listed.digest,
                subject: *to,
            });
        }
        let graph = self.walk(&document).await?;
        self.graph(&graph).await?;
        self.report.referrers += 1;
        Ok(())
    }
}

/// Copies a blob unless it is there, and says how large it is and whether it was copied.
async fn copy_blob<S: Storage, D: Storage>(
    source: &S,
    sink: &D,
    blob: Descriptor,
) -> Result<(u64, bool), TransferError> {
    let exists = sink.exists(&blob).await;
    if exists.map_err(Side::Destination.failed(&blob.digest))? {
        return Ok((blob.size, false));
    }
    push(source, sink, &blob).await?;
    Ok((blob.size, true))
}

fn count(report: &mut CopyReport, size: u64, copied: bool) {
    if copied {
        report.copied += 1;
        report.bytes += size;
    } else {
        report.skipped += 1;
    }
}
