//! Any place that holds artifacts, behind the traits that the library copies with: a registry's
//! repository, a layout on disk (the store is one), an archive.

use std::ops::Range;

use modelctl::Result;
use modelctl::oci::{Descriptor, Digest};
use modelctl::store::{BlobSource, Layout, Referrers, Storage};
use tokio::io::AsyncRead;

/// One of the places.
#[derive(Debug, Clone)]
pub(crate) enum Depot {
    /// A folder in the form of an OCI image layout.
    Layout(Layout),
}

/// A reader of any of the places.
type Reader = Box<dyn AsyncRead + Send + Unpin>;

impl Storage for Depot {
    type Reader = Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Reader> {
        Ok(match self {
            Self::Layout(layout) => Box::new(layout.fetch(blob).await?),
        })
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Reader> {
        Ok(match self {
            Self::Layout(layout) => Box::new(layout.fetch_range(blob, range).await?),
        })
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        match self {
            Self::Layout(layout) => layout.exists(blob).await,
        }
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        match self {
            Self::Layout(layout) => layout.push(expected, content).await,
        }
    }
}

impl Referrers for Depot {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        match self {
            Self::Layout(layout) => layout.referrers(subject).await,
        }
    }
}
