//! Any place that holds artifacts, behind the traits that the library copies with: a registry's
//! repository, a layout on disk (the store is one), an archive.

use std::fs::File;
use std::ops::Range;

use modelctl::Result;
use modelctl::oci::{Descriptor, Digest};
use modelctl::store::{Archive, BlobSource, Layout, Referrers, Storage};
use modelctl::transport::Repository;
use tokio::io::AsyncRead;

/// One of the places; cheap to clone.
#[derive(Clone)]
pub(crate) enum Depot {
    /// A repository of a registry.
    Repository(Repository),
    /// A folder in the form of an OCI image layout.
    Layout(Layout),
    /// A tar of one.
    Archive(Archive),
}

/// A reader of any of the places.
type Reader = Box<dyn AsyncRead + Send + Unpin>;

impl Storage for Depot {
    type Reader = Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Reader> {
        Ok(match self {
            Self::Repository(repository) => Box::new(repository.fetch(blob).await?),
            Self::Layout(layout) => Box::new(layout.fetch(blob).await?),
            Self::Archive(archive) => Box::new(archive.fetch(blob).await?),
        })
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Reader> {
        Ok(match self {
            Self::Repository(repository) => Box::new(repository.fetch_range(blob, range).await?),
            Self::Layout(layout) => Box::new(layout.fetch_range(blob, range).await?),
            Self::Archive(archive) => Box::new(archive.fetch_range(blob, range).await?),
        })
    }

    fn honours_ranges(&self) -> bool {
        match self {
            Self::Repository(repository) => repository.honours_ranges(),
            Self::Layout(_) | Self::Archive(_) => true,
        }
    }

    fn keeps_graphs(&self) -> bool {
        match self {
            Self::Repository(repository) => repository.keeps_graphs(),
            Self::Layout(_) | Self::Archive(_) => false,
        }
    }

    fn is_far(&self) -> bool {
        match self {
            Self::Repository(repository) => repository.is_far(),
            Self::Layout(_) | Self::Archive(_) => false,
        }
    }

    fn local_file(&self, blob: &Descriptor) -> Option<File> {
        match self {
            Self::Layout(layout) => layout.local_file(blob),
            Self::Repository(_) | Self::Archive(_) => None,
        }
    }

    async fn fetch_unverified(&self, blob: &Descriptor) -> Result<Reader> {
        Ok(match self {
            Self::Repository(repository) => Box::new(repository.fetch_unverified(blob).await?),
            Self::Layout(layout) => Box::new(layout.fetch_unverified(blob).await?),
            Self::Archive(archive) => Box::new(archive.fetch_unverified(blob).await?),
        })
    }

    fn verifies(&self) -> bool {
        match self {
            Self::Repository(repository) => repository.verifies(),
            Self::Layout(layout) => layout.verifies(),
            Self::Archive(archive) => archive.verifies(),
        }
    }

    async fn check_space(&self, blobs: &[Descriptor]) -> Result<()> {
        match self {
            Self::Repository(repository) => repository.check_space(blobs).await,
            Self::Layout(layout) => layout.check_space(blobs).await,
            Self::Archive(archive) => archive.check_space(blobs).await,
        }
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        match self {
            Self::Repository(repository) => repository.exists(blob).await,
            Self::Layout(layout) => layout.exists(blob).await,
            Self::Archive(archive) => archive.exists(blob).await,
        }
    }

    async fn mount(&self, blob: &Descriptor, from: &str) -> Result<bool> {
        match self {
            Self::Repository(repository) => Storage::mount(repository, blob, from).await,
            Self::Layout(_) | Self::Archive(_) => Ok(false),
        }
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        match self {
            Self::Repository(repository) => repository.push(expected, content).await,
            Self::Layout(layout) => layout.push(expected, content).await,
            Self::Archive(archive) => archive.push(expected, content).await,
        }
    }
}

impl Referrers for Depot {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        match self {
            Self::Repository(repository) => repository.referrers(subject).await,
            Self::Layout(layout) => layout.referrers(subject).await,
            Self::Archive(archive) => archive.referrers(subject).await,
        }
    }

    async fn first_referrers(&self, subject: &Digest, limit: usize) -> Result<Vec<Descriptor>> {
        match self {
            Self::Repository(repository) => repository.first_referrers(subject, limit).await,
            Self::Layout(layout) => layout.first_referrers(subject, limit).await,
            Self::Archive(archive) => archive.first_referrers(subject, limit).await,
        }
    }
}
