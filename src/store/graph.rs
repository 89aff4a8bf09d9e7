//! Everything that a manifest or index needs, and what refers to it, found by following descriptors.
//!
//! a root document → all documents, children before parents, the root last, and all other blobs,
//! each once. What a hostile store can make us fetch and keep in memory is bounded; cycles end
//! because nothing is visited twice.

use std::collections::HashSet;

use super::{Referrers, Storage, StoreError, fetch_document};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Kind, media_type};

/// How deep indexes may be nested. Real ones are one level deep.
const MAX_DEPTH: u64 = 4;
/// How many documents one root may lead to, its referrers included.
const MAX_DOCUMENTS: u64 = 1024;
/// How many bytes these may have together, since they are kept in memory.
const MAX_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;

/// A root document and all that it leads to.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Manifests and indexes, referrers first, children before parents: the root is the last.
    pub documents: Vec<Node>,
    /// All other blobs, each once.
    pub blobs: Vec<Descriptor>,
    /// How many of the documents are referrers.
    pub referrers: usize,
}

/// A document of a graph.
#[derive(Debug, Clone)]
pub struct Node {
    /// How it is named by what led to it.
    pub descriptor: Descriptor,
    /// The document.
    pub document: Document,
}

impl Graph {
    /// Follows a root document through a store. Missing and broken documents are errors.
    pub async fn walk(store: &impl Storage, root: &Document) -> Result<Self> {
        let mut walk = Walk::new(store);
        walk.visit(root.descriptor(), root.clone(), 0).await?;
        Ok(walk.graph)
    }

    /// Follows a root document and whatever refers to it, to its children, and to those referrers.
    pub async fn walk_with_referrers<S: Storage + Referrers>(
        store: &S,
        root: &Document,
    ) -> Result<Self> {
        let mut walk = Walk::new(store);
        walk.visit(root.descriptor(), root.clone(), 0).await?;
        let of_root = std::mem::take(&mut walk.graph.documents);
        let mut subjects: Vec<Digest> = of_root.iter().map(|n| n.descriptor.digest).collect();
        while let Some(subject) = subjects.pop() {
            let before = walk.graph.documents.len();
            walk.visit_referrers(&subject).await?;
            let found = walk.graph.documents[before..].iter();
            subjects.extend(found.map(|node| node.descriptor.digest));
        }
        walk.graph.documents.extend(of_root);
        Ok(walk.graph)
    }

    /// Puts another graph before this one, whose root stays the root.
    pub fn precede(&mut self, mut other: Self) {
        self.blobs.append(&mut other.blobs);
        self.blobs.sort_by_key(|blob| blob.digest);
        self.blobs.dedup_by_key(|blob| blob.digest);
        self.referrers += other.referrers;
        other.documents.append(&mut self.documents);
        self.documents = other.documents;
    }

    /// The document that everything else is needed for.
    pub fn root(&self) -> &Node {
        self.documents.last().expect("a walk visits its root")
    }
}

struct Walk<'a, S> {
    store: &'a S,
    graph: Graph,
    /// Digest and size, since a descriptor that lies about the size is to be found out later.
    seen: HashSet<(Digest, u64)>,
    documents: u64,
    bytes: u64,
}

impl<'a, S: Storage> Walk<'a, S> {
    fn new(store: &'a S) -> Self {
        let graph = Graph {
            documents: Vec::new(),
            blobs: Vec::new(),
            referrers: 0,
        };
        Self {
            store,
            graph,
            seen: HashSet::new(),
            documents: 0,
            bytes: 0,
        }
    }

    async fn visit(&mut self, node: Descriptor, document: Document, depth: u64) -> Result<()> {
        self.seen.insert((node.digest, node.size));
        self.documents += 1;
        self.bytes += node.size;
        check(&node, "levels of indexes", depth, MAX_DEPTH)?;
        check(&node, "manifests", self.documents, MAX_DOCUMENTS)?;
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
        if self.seen.contains(&(child.digest, child.size)) {
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

impl<S: Storage + Referrers> Walk<'_, S> {
    async fn visit_referrers(&mut self, subject: &Digest) -> Result<()> {
        for listed in self.store.referrers(subject).await? {
            if self.seen.contains(&(listed.digest, listed.size)) {
                continue;
            }
            let document = fetch_document(self.store, &listed).await?;
            if document.subject().is_none_or(|to| to.digest != *subject) {
                let (referrer, subject) = (listed.digest, *subject);
                return Err(StoreError::NotReferrer { referrer, subject }.into());
            }
            let node = Descriptor::new(document.media_type(), listed.digest, listed.size);
            self.visit(node, document, 0).await?;
            self.graph.referrers += 1;
        }
        Ok(())
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
