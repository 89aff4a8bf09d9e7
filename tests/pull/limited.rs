//! Blobs in memory that come as far as a budget allows, and a log of what was asked for.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use modelctl::Result;
use modelctl::oci::{Descriptor, Digest, media_type};
use modelctl::store::{BlobSource, Storage, VerifyReader, check_range};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::Notify;

use crate::support::handmade::Blobs;

/// The most that comes at a time, in bytes.
const PIECE: usize = 50_000;

/// A source whose blobs stop coming when the budget is spent.
#[derive(Clone)]
pub(crate) struct Limited {
    blobs: Blobs,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    dry: Notify,
}

#[derive(Default)]
struct State {
    left: u64,
    served: u64,
    opened: Vec<(Digest, Range<u64>)>,
    /// What a blob gives instead, the next so many times.
    lies: BTreeMap<Digest, (Vec<u8>, usize)>,
}

impl Limited {
    /// A source that gives so many bytes of layers and then no more.
    pub(crate) fn new(blobs: &Blobs, budget: u64) -> Self {
        let source = Self {
            blobs: blobs.clone(),
            shared: Arc::default(),
        };
        source.shared.state.lock().unwrap().left = budget;
        source
    }

    /// A source that gives everything.
    pub(crate) fn endless(blobs: &Blobs) -> Self {
        Self::new(blobs, u64::MAX)
    }

    /// Gives other bytes for a blob, the next so many times.
    pub(crate) fn lie(&self, blob: Digest, bytes: Vec<u8>, times: usize) {
        let mut state = self.shared.state.lock().unwrap();
        state.lies.insert(blob, (bytes, times));
    }

    /// Waits until the budget is spent.
    pub(crate) async fn dry(&self) {
        self.shared.dry.notified().await;
    }

    /// How many bytes of layers were given.
    pub(crate) fn served(&self) -> u64 {
        self.shared.state.lock().unwrap().served
    }

    /// The layers that were asked for, and the range of each.
    pub(crate) fn opened(&self) -> Vec<(Digest, Range<u64>)> {
        self.shared.state.lock().unwrap().opened.clone()
    }

    fn open(&self, blob: &Descriptor, range: Range<u64>) -> Part {
        let mut bytes = self.blobs.0[&blob.digest].clone();
        let is_free = blob.media_type == media_type::LAYER_MANIFEST;
        if !is_free {
            let mut state = self.shared.state.lock().unwrap();
            state.opened.push((blob.digest, range.clone()));
            if let Some((lie, times)) = state.lies.get_mut(&blob.digest)
                && *times > 0
            {
                *times -= 1;
                bytes.clone_from(lie);
            }
        }
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        Part {
            bytes: bytes[range].to_vec(),
            at: 0,
            shared: (!is_free).then(|| self.shared.clone()),
        }
    }
}

/// A range of a blob on its way.
pub(crate) struct Part {
    bytes: Vec<u8>,
    at: usize,
    shared: Option<Arc<Shared>>,
}

impl AsyncRead for Part {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut count = buffer
            .remaining()
            .min(self.bytes.len() - self.at)
            .min(PIECE);
        if let Some(shared) = &self.shared
            && count > 0
        {
            let mut state = shared.state.lock().unwrap();
            count = count.min(usize::try_from(state.left).unwrap_or(usize::MAX));
            if count == 0 {
                shared.dry.notify_one();
                return Poll::Pending;
            }
            state.left -= count as u64;
            state.served += count as u64;
        }
        buffer.put_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl Storage for Limited {
    type Reader = VerifyReader<Part>;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        Ok(VerifyReader::new(self.open(blob, 0..blob.size), blob))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        let length = check_range(blob, &range)?;
        Ok(VerifyReader::of_part(self.open(blob, range), blob, length))
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        Ok(self.blobs.0.contains_key(&blob.digest))
    }

    async fn push(&self, _: &Descriptor, _: &dyn BlobSource) -> Result<()> {
        unreachable!("nothing is pushed to it")
    }
}
