//! The bytes of a seeded blob, step by step.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio_util::io::StreamReader;

use super::check::{BUFFER, ChainReader, PartCheck};
use super::seeds::Seeds;
use super::steps::Step;
use crate::oci::Descriptor;
use crate::store::{Storage, StoreError, on_thread, read_error};

/// Gives a range of a blob, from here and from the source.
pub(super) struct Flow<S: Storage> {
    source: S,
    seeds: Arc<Seeds>,
    blob: Descriptor,
    steps: VecDeque<Step>,
    /// Offset in the blob of the next byte, and where to stop.
    left: Range<u64>,
    open: Open<S::Reader>,
    /// Bytes from this machine.
    reused: u64,
}

/// The step under way.
enum Open<R> {
    Nothing,
    Local(ChainReader),
    Remote(R, Box<PartCheck>),
}

impl<S: Storage + 'static> Flow<S> {
    pub(super) fn new(
        (source, seeds): (S, Arc<Seeds>),
        blob: Descriptor,
        steps: Vec<Step>,
        range: Range<u64>,
    ) -> Self {
        Self {
            source,
            seeds,
            blob,
            steps: steps.into(),
            left: range,
            open: Open::Nothing,
            reused: 0,
        }
    }

    /// A reader of all of it.
    pub(super) fn reader(self) -> impl AsyncRead + Send + use<S> {
        let pieces = stream::try_unfold(self, |mut flow| async move {
            let piece = flow.piece().await?;
            Ok::<_, io::Error>(piece.map(|piece| (piece, flow)))
        });
        StreamReader::new(pieces)
    }

    /// The next piece; nothing at the end.
    async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        while !self.left.is_empty() {
            let piece = match std::mem::replace(&mut self.open, Open::Nothing) {
                Open::Nothing => {
                    self.begin().await?;
                    continue;
                }
                Open::Local(reader) => self.local(reader).await,
                Open::Remote(reader, check) => self.remote(reader, check).await?,
            };
            if let Some(piece) = piece {
                self.left.start += piece.len() as u64;
                if self.left.is_empty() {
                    self.end();
                }
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// All was given: whoever asks again has found it wrong.
    fn end(&mut self) {
        if self.left.end == self.blob.size {
            self.seeds.spend(&self.blob.digest);
        }
        self.seeds.count(std::mem::take(&mut self.reused), 0);
    }

    async fn begin(&mut self) -> io::Result<()> {
        self.open = match self.steps.pop_front() {
            Some(Step::Local(chain)) => {
                Open::Local(ChainReader::new(Arc::clone(&self.seeds), chain))
            }
            Some(Step::Remote(range, parts)) => {
                let fetched = self.source.fetch_range(&self.blob, range.clone());
                let reader = fetched.await.map_err(read_error)?;
                if self.source.honours_ranges() || range.end == self.left.end {
                    Open::Remote(reader, PartCheck::new(range.start, parts).into())
                } else {
                    // All of the blob comes whatever is asked for, so it is asked for only once.
                    drop(reader);
                    self.fetch_the_rest();
                    Open::Nothing
                }
            }
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        Ok(())
    }

    fn fetch_the_rest(&mut self) {
        self.steps = [Step::Remote(self.left.clone(), Vec::new())].into();
    }

    /// Reads on here. A file that cannot be read any more is no seed: the rest is fetched.
    async fn local(&mut self, mut reader: ChainReader) -> Option<Bytes> {
        let room = usize::try_from(self.left.end - self.left.start).unwrap_or(BUFFER);
        let (reader, read) = on_thread(move || {
            let mut buffer = vec![0; room.min(BUFFER)];
            let read = reader.read(&mut buffer).map(|count| {
                buffer.truncate(count);
                buffer
            });
            (reader, read)
        })
        .await;
        match read {
            Ok(piece) => {
                self.reused += piece.len() as u64;
                if !reader.is_over() {
                    self.open = Open::Local(reader);
                }
                (!piece.is_empty()).then(|| piece.into())
            }
            Err(_) => {
                self.seeds.spend(&self.blob.digest);
                self.fetch_the_rest();
                None
            }
        }
    }

    async fn remote(
        &mut self,
        mut reader: S::Reader,
        mut check: Box<PartCheck>,
    ) -> io::Result<Option<Bytes>> {
        let mut piece = BytesMut::with_capacity(BUFFER);
        if reader.read_buf(&mut (&mut piece).limit(BUFFER)).await? == 0 {
            return Ok(None);
        }
        self.seeds.count(0, piece.len() as u64);
        if let Err(wrong) = check.add(&piece) {
            self.seeds.spend(&self.blob.digest);
            let (blob, got) = (wrong.expected.digest, wrong.got);
            return Err(read_error(StoreError::Mismatch { blob, got }));
        }
        self.open = Open::Remote(reader, check);
        Ok(Some(piece.freeze()))
    }
}

/// A reader of the source whose bytes are counted.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) seeds: Arc<Seeds>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, seeds } = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(inner).poll_read(context, buffer))?;
        seeds.count(0, (buffer.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}
