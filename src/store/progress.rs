//! Tells someone what moves into and out of a store: a decorator, so that no store knows of bars.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::{BlobSource, Referrers, Storage, Tags};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Reference};

/// Is told what happens to blobs, from any thread. All methods return quickly.
pub trait Progress: Send + Sync {
    /// A blob begins to move.
    fn started(&self, blob: &Descriptor);
    /// This many bytes of the blob have moved. It can be less than before: a push that is retried
    /// begins again somewhere.
    fn advanced(&self, blob: &Descriptor, position: u64);
    /// The blob has arrived, and is what its descriptor says.
    fn finished(&self, blob: &Descriptor);
    /// The blob need not move: it is there already.
    fn skipped(&self, blob: &Descriptor);
}

/// A store whose traffic is reported. In a copy one side is wrapped, as a rule the one farther
/// away, or everything would be reported twice.
#[derive(Clone)]
pub struct WithProgress<S> {
    inner: S,
    progress: Arc<dyn Progress>,
}

impl<S> WithProgress<S> {
    /// Reports the traffic of a store.
    pub fn new(inner: S, progress: Arc<dyn Progress>) -> Self {
        Self { inner, progress }
    }

    /// The store itself.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn report(&self, blob: &Descriptor, position: u64) -> Report {
        Report {
            progress: self.progress.clone(),
            blob: blob.clone(),
            position,
        }
    }
}

/// Reports one blob.
struct Report {
    progress: Arc<dyn Progress>,
    blob: Descriptor,
    position: u64,
}

impl Report {
    fn advance(&mut self, count: usize) {
        self.position += count as u64;
        self.progress.advanced(&self.blob, self.position);
    }
}

impl<S: Storage> Storage for WithProgress<S> {
    type Reader = Reported<S::Reader>;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        let inner = self.inner.fetch(blob).await?;
        self.progress.started(blob);
        let report = self.report(blob, 0);
        Ok(Reported { inner, report })
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        let start = range.start;
        let inner = self.inner.fetch_range(blob, range).await?;
        self.progress.started(blob);
        let report = self.report(blob, start);
        Ok(Reported { inner, report })
    }

    fn honours_ranges(&self) -> bool {
        self.inner.honours_ranges()
    }

    fn keeps_graphs(&self) -> bool {
        self.inner.keeps_graphs()
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn local_file(&self, blob: &Descriptor) -> Option<File> {
        self.inner.local_file(blob)
    }

    async fn fetch_unverified(&self, blob: &Descriptor) -> Result<Self::Reader> {
        let inner = self.inner.fetch_unverified(blob).await?;
        self.progress.started(blob);
        let report = self.report(blob, 0);
        Ok(Reported { inner, report })
    }

    fn spared(&self, blob: &Descriptor) {
        self.progress.skipped(blob);
    }

    fn verifies(&self) -> bool {
        self.inner.verifies()
    }

    async fn check_space(&self, blobs: &[Descriptor]) -> Result<()> {
        self.inner.check_space(blobs).await
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        let exists = self.inner.exists(blob).await?;
        if exists {
            self.progress.skipped(blob);
        }
        Ok(exists)
    }

    async fn mount(&self, blob: &Descriptor, from: &str) -> Result<bool> {
        let mounted = self.inner.mount(blob, from).await?;
        if mounted {
            self.progress.skipped(blob);
        }
        Ok(mounted)
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        self.progress.started(expected);
        let content = ReportedSource {
            content,
            store: self,
            blob: expected,
        };
        self.inner.push(expected, &content).await?;
        self.progress.finished(expected);
        Ok(())
    }
}

impl<S: Tags> Tags for WithProgress<S> {
    async fn resolve(&self, reference: &Reference) -> Result<Document> {
        self.inner.resolve(reference).await
    }

    async fn tag(&self, manifest: &Descriptor, reference: &Reference) -> Result<()> {
        self.inner.tag(manifest, reference).await
    }
}

impl<S: Referrers> Referrers for WithProgress<S> {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        self.inner.referrers(subject).await
    }

    async fn first_referrers(&self, subject: &Digest, limit: usize) -> Result<Vec<Descriptor>> {
        self.inner.first_referrers(subject, limit).await
    }
}

/// A reader that reports what passes, and its end.
pub struct Reported<R> {
    inner: R,
    report: Report,
}

impl<R: AsyncRead + Unpin> AsyncRead for Reported<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { inner, report } = self.get_mut();
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        ready!(Pin::new(inner).poll_read(context, buffer))?;
        match buffer.filled().len() - before {
            0 if room > 0 => report.progress.finished(&report.blob),
            count => report.advance(count),
        }
        Poll::Ready(Ok(()))
    }
}

/// Content whose readers report what passes.
struct ReportedSource<'a, S> {
    content: &'a dyn BlobSource,
    store: &'a WithProgress<S>,
    blob: &'a Descriptor,
}

impl<S: Send + Sync> BlobSource for ReportedSource<'_, S> {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let inner = self.content.open_at(offset)?;
        let report = self.store.report(self.blob, offset);
        Ok(Box::new(Reported { inner, report }))
    }

    fn local_file(&self) -> Option<File> {
        self.content.local_file()
    }
}

impl<R: Read> Read for Reported<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.report.advance(count);
        Ok(count)
    }
}
