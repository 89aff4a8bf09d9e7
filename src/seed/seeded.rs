//! A source whose blobs come from this machine as far as they are here.

use std::fs::File;
use std::io::Cursor;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::AsyncRead;

use super::check;
use super::reader::{Counted, Flow};
use super::seeds::Seeds;
use super::steps::{self, Step};
use crate::Result;
use crate::oci::{Descriptor, Digest};
use crate::store::{BlobSource, Referrers, Storage, VerifyReader, check_range, on_thread};

/// A source and the seeds of one artifact. A blob is seeded once: asked for again from its start, it
/// comes from the source.
#[derive(Debug, Clone)]
pub struct Seeded<S> {
    source: S,
    seeds: Arc<Seeds>,
}

/// Reads a blob, wherever its bytes are.
type Reader = Pin<Box<dyn AsyncRead + Send>>;

impl<S: Storage + Clone + 'static> Seeded<S> {
    /// Puts seeds before a source.
    pub fn new(source: S, seeds: Arc<Seeds>) -> Self {
        Self { source, seeds }
    }

    /// Where the bytes of a blob come from; nothing if all of them come from the source.
    async fn steps(&self, blob: &Descriptor) -> Option<Vec<Step>> {
        if self.seeds.is_spent(&blob.digest) {
            return None;
        }
        if let Some(chain) = self.seeds.whole(blob) {
            return Some(vec![Step::Local(chain.clone())]);
        }
        // Reading the seeds may not be worth it.
        if !self.can_be_had(&self.seeds.hoped(blob)?) {
            return None;
        }
        let parts = self.seeds.parts(&blob.digest).to_vec();
        let seeds = Arc::clone(&self.seeds);
        let planned = {
            let size = blob.size;
            on_thread(move || steps::plan(size, &parts, &check::verified(&seeds, &parts))).await
        };
        planned.filter(|steps| self.can_be_had(steps))
    }

    fn can_be_had(&self, steps: &[Step]) -> bool {
        let is_remote = |step: &Step| matches!(step, Step::Remote(..));
        self.source.honours_ranges() || !steps.iter().any(is_remote)
    }

    /// Reads a range of a blob from wherever it is, if some of it is here.
    async fn flow(&self, blob: &Descriptor, range: &Range<u64>) -> Option<Flow<S>> {
        let steps = steps::clip(self.steps(blob).await?, range);
        let parts = (self.source.clone(), Arc::clone(&self.seeds));
        Some(Flow::new(parts, blob.clone(), steps, range.clone()))
    }

    fn counted(&self, inner: S::Reader) -> Reader {
        let seeds = Arc::clone(&self.seeds);
        Box::pin(Counted { inner, seeds })
    }
}

impl<S: Storage + Clone + 'static> Storage for Seeded<S> {
    type Reader = Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Reader> {
        if let Some(bytes) = self.seeds.manifest(&blob.digest) {
            let bytes = Cursor::new(bytes.to_vec());
            return Ok(Box::pin(VerifyReader::new(bytes, blob)));
        }
        match self.flow(blob, &(0..blob.size)).await {
            Some(flow) => Ok(Box::pin(VerifyReader::new(Box::pin(flow.reader()), blob))),
            None => Ok(self.counted(self.source.fetch(blob).await?)),
        }
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Reader> {
        let length = check_range(blob, &range)?;
        match self.flow(blob, &range).await {
            Some(flow) => {
                let reader = Box::pin(flow.reader());
                Ok(Box::pin(VerifyReader::of_part(reader, blob, length)))
            }
            None => Ok(self.counted(self.source.fetch_range(blob, range).await?)),
        }
    }

    fn honours_ranges(&self) -> bool {
        self.source.honours_ranges()
    }

    fn is_far(&self) -> bool {
        self.source.is_far()
    }

    async fn fetch_unverified(&self, blob: &Descriptor) -> Result<Reader> {
        if self.seeds.manifest(&blob.digest).is_some() {
            return self.fetch(blob).await;
        }
        match self.flow(blob, &(0..blob.size)).await {
            Some(flow) => {
                let reader = Box::pin(flow.reader());
                Ok(Box::pin(VerifyReader::of_part(reader, blob, blob.size)))
            }
            None => Ok(self.counted(self.source.fetch_unverified(blob).await?)),
        }
    }

    fn verifies(&self) -> bool {
        self.source.verifies()
    }

    async fn check_space(&self, blobs: &[Descriptor]) -> Result<()> {
        self.source.check_space(blobs).await
    }

    async fn mount(&self, blob: &Descriptor, from: &str) -> Result<bool> {
        self.source.mount(blob, from).await
    }

    fn local_file(&self, blob: &Descriptor) -> Option<File> {
        self.source.local_file(blob)
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        self.source.exists(blob).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        self.source.push(expected, content).await
    }
}

impl<S: Referrers> Referrers for Seeded<S> {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        self.source.referrers(subject).await
    }

    async fn first_referrers(&self, subject: &Digest, limit: usize) -> Result<Vec<Descriptor>> {
        self.source.first_referrers(subject, limit).await
    }
}
