//! What a place for blobs can do: three verbs, tags, and referrers as a second and third trait.
//!
//! A store verifies what enters it ([`Storage::push`] takes the *expected* descriptor) and what
//! leaves it whole ([`Storage::fetch`]). Push and pull are then one function,
//! [`crate::transfer::copy`], over two stores.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::ops::Range;

use tokio::io::AsyncRead;

use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Reference};

/// A place where blobs rest, addressed by descriptor. Manifests are blobs too: their media type
/// tells a registry which endpoint they live under.
pub trait Storage: Send + Sync {
    /// What [`Storage::fetch`] reads from.
    type Reader: AsyncRead + Send + Unpin + 'static;

    /// Opens the blob; reading to the end verifies size and digest. A reader that ends without an
    /// error has given exactly the blob.
    fn fetch(&self, blob: &Descriptor) -> impl Future<Output = Result<Self::Reader>> + Send;

    /// Opens a part of the blob; the caller verifies (a tensor by its own sha256, a resumed blob
    /// as a whole). The reader gives exactly the range or an error.
    fn fetch_range(
        &self,
        blob: &Descriptor,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Self::Reader>> + Send;

    /// Whether a range costs no more than its own bytes. A registry shows only when it is asked: this
    /// is `true` until it has answered a range with the whole blob.
    fn honours_ranges(&self) -> bool {
        true
    }

    /// Whether an answer takes so long to come that much has to be under way at a time. A registry
    /// shows only when it is asked: this is `false` until it has answered.
    fn is_far(&self) -> bool {
        false
    }

    /// Whether a manifest that is here has everything that it needs for as long as it is here, so that
    /// nothing below it has to be asked for. Registries promise that; a folder can lose a file.
    fn keeps_graphs(&self) -> bool {
        false
    }

    /// Opens the file that holds the blob and nothing else, where there is one, for a copy that
    /// shares its extents. Nothing is verified.
    fn local_file(&self, _blob: &Descriptor) -> Option<File> {
        None
    }

    /// Opens the whole blob for who checks its digest while taking it in, as a sink does that
    /// [`Storage::verifies`]. Its length is checked.
    fn fetch_unverified(
        &self,
        blob: &Descriptor,
    ) -> impl Future<Output = Result<Self::Reader>> + Send {
        self.fetch_range(blob, 0..blob.size)
    }

    /// Is told that the caller has a blob already and does not fetch it: for who watches.
    fn spared(&self, _blob: &Descriptor) {}

    /// Whether [`Storage::push`] checks the digest on this machine, so that the source need not.
    fn verifies(&self) -> bool {
        false
    }

    /// Fails where blobs that are to be pushed do not fit, as far as that can be known. Those that
    /// are there, and parts of them that are there, count as fitting.
    fn check_space(&self, _blobs: &[Descriptor]) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Makes the blob appear here from another repository of the same registry, without content
    /// being sent; `false` where that cannot be done, or there is no such thing.
    fn mount(&self, _blob: &Descriptor, _from: &str) -> impl Future<Output = Result<bool>> + Send {
        std::future::ready(Ok(false))
    }

    /// Whether the blob is there.
    fn exists(&self, blob: &Descriptor) -> impl Future<Output = Result<bool>> + Send;

    /// Stores exactly the expected blob, or nothing. A blob that is there already is left as it is.
    fn push(
        &self,
        expected: &Descriptor,
        content: &dyn BlobSource,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Content that can be opened again at any offset, so that a push can be retried, resumed or sent
/// in chunks. Readers block: they are read on threads of their own.
pub trait BlobSource: Send + Sync {
    /// Opens the content at an offset in bytes; the reader gives all that follows.
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>>;

    /// Opens the local file that holds the content and nothing else, where there is one.
    fn local_file(&self) -> Option<File> {
        None
    }
}

/// Bytes in memory: manifests, configs, and other small blobs.
impl BlobSource for Vec<u8> {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.len());
        Ok(Box::new(io::Cursor::new(self[start..].to_vec())))
    }
}

/// Names that lead to manifests. The reference's tag or digest counts; its registry and repository
/// only where the place holds several.
pub trait Tags: Send + Sync {
    /// Finds what a reference names; its digest decides if it has one. The bytes are verified.
    fn resolve(&self, reference: &Reference) -> impl Future<Output = Result<Document>> + Send;

    /// Makes a name lead to a manifest that is already stored, replacing what it led to.
    fn tag(
        &self,
        manifest: &Descriptor,
        reference: &Reference,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Manifests that refer to others by `subject` (distribution-spec, "Listing Referrers").
pub trait Referrers: Send + Sync {
    /// Describes every manifest whose subject is this digest, with artifact type and annotations.
    fn referrers(&self, subject: &Digest) -> impl Future<Output = Result<Vec<Descriptor>>> + Send;

    /// Describes the first `limit` of them at most, and asks for no more pages of a list once it has
    /// so many. Who wants to know whether there are more asks for one more.
    fn first_referrers(
        &self,
        subject: &Digest,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Descriptor>>> + Send {
        async move {
            let mut first = self.referrers(subject).await?;
            first.truncate(limit);
            Ok(first)
        }
    }
}
