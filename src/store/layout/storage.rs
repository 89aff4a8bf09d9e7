//! A layout as a [`Storage`]: the blocking methods of [`Layout`] on threads of their own.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::ops::Range;

use tokio::io::{AsyncReadExt as _, Take};

use super::Layout;
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Reference};
use crate::store::blocking::on_thread;
use crate::store::{
    BlobSource, Referrers, Storage, StoreError, Tags, VerifyReader, check_range, entry_name,
};

/// A blob, or a part of one, that lies in a file.
pub type FileReader = VerifyReader<Take<tokio::fs::File>>;

impl Layout {
    /// Opens a blob whose length is the one of the descriptor, at an offset in bytes.
    async fn open_at(&self, blob: &Descriptor, offset: u64) -> Result<tokio::fs::File> {
        let (layout, blob) = (self.clone(), blob.clone());
        on_thread(move || {
            let (mut file, got) = layout.open_blob(&blob.digest)?;
            if got != blob.size {
                let (blob, expected) = (blob.digest, blob.size);
                return Err(StoreError::Size {
                    blob,
                    got,
                    expected,
                }
                .into());
            }
            file.seek(SeekFrom::Start(offset))
                .map_err(StoreError::io(&layout.blob_path(&blob.digest)))?;
            Ok(tokio::fs::File::from_std(file))
        })
        .await
    }
}

impl Storage for Layout {
    type Reader = FileReader;

    async fn fetch(&self, blob: &Descriptor) -> Result<FileReader> {
        let file = self.open_at(blob, 0).await?;
        // One byte more, so that a file that grows is found out.
        Ok(VerifyReader::new(
            file.take(blob.size.saturating_add(1)),
            blob,
        ))
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<FileReader> {
        let length = check_range(blob, &range)?;
        let file = self.open_at(blob, range.start).await?;
        Ok(VerifyReader::of_part(file.take(length), blob, length))
    }

    fn local_file(&self, blob: &Descriptor) -> Option<File> {
        let (file, size) = self.open_blob(&blob.digest).ok()?;
        (size == blob.size).then_some(file)
    }

    fn verifies(&self) -> bool {
        true
    }

    async fn check_space(&self, blobs: &[Descriptor]) -> Result<()> {
        let (layout, blobs) = (self.clone(), blobs.to_vec());
        Ok(on_thread(move || layout.check_free(&blobs)).await?)
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        Ok(self.blob_size(&blob.digest) == Some(blob.size))
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        self.take_in(expected, content).await
    }
}

impl Tags for Layout {
    async fn resolve(&self, reference: &Reference) -> Result<Document> {
        let (layout, reference) = (self.clone(), reference.clone());
        on_thread(move || {
            if let Some(digest) = reference.digest() {
                return layout.read_document(digest, None);
            }
            let manifest = layout.resolve_name(&entry_name(&reference))?;
            layout.read_document(&manifest.digest, Some(&manifest.media_type))
        })
        .await
    }

    async fn tag(&self, manifest: &Descriptor, reference: &Reference) -> Result<()> {
        let name = entry_name(reference);
        let (layout, manifest) = (self.clone(), manifest.clone());
        on_thread(move || layout.tag_as(&manifest, &name)).await
    }
}

impl Referrers for Layout {
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let (layout, subject) = (self.clone(), *subject);
        on_thread(move || layout.referrers_of(&subject)).await
    }
}
