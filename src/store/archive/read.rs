//! An archive as a [`Storage`] that is read.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempPath;
use tokio::io::AsyncReadExt as _;

use super::inflate::inflate;
use super::scan::{Contents, Position, scan};
use crate::Result;
use crate::oci::{Descriptor, Digest, media_type};
use crate::store::blocking::on_thread;
use crate::store::entry::{describe_referrer, named, only};
use crate::store::{
    BlobSource, Entry, FileReader, Referrers, Storage, StoreError, VerifyReader, check_range,
    fetch_document,
};

/// A layout in a tar. Clones are the same archive.
#[derive(Debug, Clone)]
pub struct Archive {
    path: Arc<Path>,
    contents: Arc<Contents>,
    /// The tar of an archive that is compressed.
    unpacked: Option<Arc<TempPath>>,
}

impl Archive {
    /// Opens an archive and finds its parts. The file has to stay as it is. One that is compressed
    /// with gzip is unpacked into a temporary file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let metadata = path.metadata().map_err(StoreError::io(path))?;
        // Opening a FIFO would wait for somebody to write.
        if !metadata.is_file() {
            return Err(StoreError::Archive {
                path: path.to_owned(),
                reason: "not a regular file".to_owned(),
            });
        }
        let unpacked = inflate(path)?;
        let tar = unpacked.as_deref().unwrap_or(path);
        Ok(Self {
            contents: Arc::new(scan(tar, path)?),
            path: path.into(),
            unpacked: unpacked.map(Arc::new),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lists the entries in the order of `index.json`.
    pub fn entries(&self) -> Vec<Entry> {
        let manifests = self.contents.index.manifests.iter().cloned();
        manifests.map(Entry::from).collect()
    }

    /// Finds the manifest that a name leads to; of several entries with one name the first counts.
    pub fn resolve_name(&self, name: &str) -> Result<Descriptor, StoreError> {
        named(self.entries(), name, &self.path)
    }

    /// Finds the manifest of an archive that holds only one, as `oci-archive:FILE` without a tag
    /// means it: the only entry, or the only one with a name beside referrers, which have none.
    pub fn resolve_only(&self) -> Result<Descriptor, StoreError> {
        only(self.entries(), &self.path)
    }

    fn position(&self, blob: &Descriptor) -> Result<Position, StoreError> {
        match self.contents.blobs.get(&blob.digest) {
            Some(position) if position.size == blob.size => Ok(*position),
            Some(position) => Err(StoreError::Size {
                blob: blob.digest,
                got: position.size,
                expected: blob.size,
            }),
            None => Err(StoreError::BlobNotFound {
                blob: blob.digest,
                place: self.path.display().to_string(),
            }),
        }
    }

    async fn open_at(&self, offset: u64) -> Result<tokio::fs::File> {
        let tar = self.unpacked.as_deref().map(|tar| &**tar);
        let path: PathBuf = tar.unwrap_or(&self.path).to_path_buf();
        on_thread(move || {
            let opened = File::open(&path).and_then(|mut file| {
                file.seek(SeekFrom::Start(offset))?;
                Ok(tokio::fs::File::from_std(file))
            });
            Ok(opened.map_err(StoreError::io(&path))?)
        })
        .await
    }
}

impl Storage for Archive {
    type Reader = FileReader;

    async fn fetch(&self, blob: &Descriptor) -> Result<FileReader> {
        let position = self.position(blob)?;
        let file = self.open_at(position.start).await?;
        Ok(VerifyReader::new(file.take(position.size), blob))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<FileReader> {
        let length = check_range(blob, &range)?;
        let position = self.position(blob)?;
        let file = self.open_at(position.start + range.start).await?;
        Ok(VerifyReader::of_part(file.take(length), blob, length))
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        Ok(self.position(blob).is_ok())
    }

    /// Always fails: an archive is written as a whole, by [`Archive::write`].
    async fn push(&self, _: &Descriptor, _: &dyn BlobSource) -> Result<()> {
        Err(StoreError::Archive {
            path: self.path.to_path_buf(),
            reason: "an archive is written as a whole and never added to".to_owned(),
        }
        .into())
    }
}

impl Referrers for Archive {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let mut found: Vec<Descriptor> = Vec::new();
        for listed in &self.contents.index.manifests {
            let seen = found.iter().any(|other| other.digest == listed.digest);
            if seen || !media_type::is_manifest(&listed.media_type) {
                continue;
            }
            // A listed manifest that is broken or gone refers to nothing.
            let Ok(document) = fetch_document(self, listed).await else {
                continue;
            };
            if document.subject().is_some_and(|to| to.digest == *subject) {
                found.push(describe_referrer(&document, listed.digest));
            }
        }
        Ok(found)
    }
}
