//! Everything that a manifest or index needs, found by following its descriptors.
//!
//! a root document → all documents, children before parents, and all other blobs, each once. What a
//! hostile index can make us fetch and keep in memory is bounded.

use std::collections::HashSet;

use super::{Storage, StoreError, fetch_document};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Kind, media_type};

/// How deep indexes may be nested. Real ones are one level deep.
const MAX_DEPTH: u64 = 4;
/// How many documents one root may lead to.
const MAX_DOCUMENTS: u64 = 1024;
/// How many bytes these may have together, since they are kept in memory.
const MAX_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;

/// A root document and all that it leads to.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Manifests and indexes, children before parents: the root is the last.
    pub documents: Vec<Node>,
    /// All other blobs, each once.
    pub blobs: Vec<Descriptor>,
}

/// A document of a graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// How its parent names it.
    pub descriptor: Descriptor,
    /// The document.
    pub document: Document,
}

impl Graph {
    /// Follows a root document through a store. Missing and broken documents are errors.
    pub async fn walk(store: &impl Storage, root: &Document) -> Result<Self> {
        let mut walk = Walk {
            store,
            graph: Self {
                documents: Vec::new(),
                blobs: Vec::new(),
            },
            seen: HashSet::new(),
            bytes: 0,
        };
        walk.visit(root.descriptor(), root.clone(), 0).await?;
        Ok(walk.graph)
    }
}

struct Walk<'a, S> {
    store: &'a S,
    graph: Graph,
    /// Digest and size, since a descriptor that lies about the size is to be found out later.
    seen: HashSet<(Digest, u64)>,
    bytes: u64,
}

impl<S: Storage> Walk<'_, S> {
    async fn visit(&mut self, node: Descriptor, document: Document, depth: u64) -> Result<()> {
        self.bytes += node.size;
        let documents = self.graph.documents.len() as u64 + 1;
        check(&node, "levels of indexes", depth, MAX_DEPTH)?;
        check(&node, "manifests", documents, MAX_DOCUMENTS)?;
        check(&node, "bytes of manifests", self.bytes, MAX_DOCUMENT_BYTES)?;
        match document.kind() {
            Kind::Manifest(manifest) => manifest.blobs().for_each(|blob| self.add(blob)),
            Kind::Index(index) => {
                for child in &index.manifests {
                    self.visit_child(child, depth + 1).await?;
                }
            }
        }
        self.graph.documents.push(Node {
            descriptor: node,
            document,
        });
        Ok(())
    }

    /// Visits what an index lists. What is not a manifest is a blob like any other.
    async fn visit_child(&mut self, child: &Descriptor, depth: u64) -> Result<()> {
        if !media_type::is_manifest(&child.media_type) {
            self.add(child);
            return Ok(());
        }
        if !self.seen.insert((child.digest, child.size)) {
            return Ok(());
        }
        let document = fetch_document(self.store, child).await?;
        let node = Descriptor::new(document.media_type(), child.digest, child.size);
        Box::pin(self.visit(node, document, depth)).await
    }

    fn add(&mut self, blob: &Descriptor) {
        if self.seen.insert((blob.digest, blob.size)) {
            self.graph.blobs.push(blob.clone());
        }
    }
}

fn check(node: &Descriptor, what: &'static str, got: u64, limit: u64) -> Result<(), StoreError> {
    if got <= limit {
        return Ok(());
    }
    Err(StoreError::Limit {
        blob: node.digest,
        what,
        got,
        limit,
    })
}
