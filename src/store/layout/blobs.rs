//! The blobs of a layout, by blocking calls.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::{Hold, Layout, ingest};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Kind, MAX_MANIFEST_SIZE};
use crate::store::{StoreError, VerifyReader, error_of_read};

impl Layout {
    /// Where a blob lies, whether it is there or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let folder = self.root().join("blobs").join(digest.algorithm().as_str());
        folder.join(digest.hex())
    }

    /// The length of a blob in bytes, if it is there.
    pub fn blob_size(&self, digest: &Digest) -> Option<u64> {
        let metadata = fs::symlink_metadata(self.blob_path(digest)).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    /// Opens a blob and says how long it is. The caller verifies what it reads. A blob that is a
    /// link or anything but a regular file is refused.
    pub fn open_blob(&self, digest: &Digest) -> Result<(File, u64), StoreError> {
        let path = self.blob_path(digest);
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits().cast_signed())
            .open(&path);
        let irregular = |path| StoreError::Layout {
            path,
            reason: "not a regular file".to_owned(),
        };
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.blob_not_found(digest));
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
                return Err(irregular(path));
            }
            file => file.map_err(StoreError::io(&path))?,
        };
        let metadata = file.metadata().map_err(StoreError::io(&path))?;
        if !metadata.is_file() {
            return Err(irregular(path));
        }
        Ok((file, metadata.len()))
    }

    /// Reads a manifest or index into memory and verifies it. The expected size is not known here.
    pub fn read_document(&self, digest: &Digest, media_type: Option<&str>) -> Result<Document> {
        let (file, size) = self.open_blob(digest)?;
        let expected = Descriptor::new("", *digest, size);
        if size > MAX_MANIFEST_SIZE {
            return Err(StoreError::too_large(&expected, MAX_MANIFEST_SIZE).into());
        }
        let mut bytes = Vec::new();
        let mut reader = VerifyReader::new(file, &expected);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|error| error_of_read(error, digest))?;
        Ok(Document::parse(bytes, media_type)?)
    }

    /// Takes in a file on the layout's file system whose content the caller has hashed as it was
    /// written. It replaces a blob that is there: that one may have rotted, and this is known. The
    /// caller has a hold.
    pub(crate) fn put_file(&self, digest: &Digest, file: NamedTempFile) -> Result<(), StoreError> {
        ingest::persist_blob(file, &self.blob_path(digest))
    }

    /// Keeps `gc` away until the hold is dropped. Whoever adds an artifact takes one before the
    /// first blob and drops it after the entry is made. Waits while `gc` is running.
    pub fn hold(&self) -> Result<Hold, StoreError> {
        Hold::acquire(self.root())
    }

    /// Whether everything is there that a manifest needs of this layout. An index may list
    /// manifests that are elsewhere.
    pub(super) fn check_complete(&self, document: &Document) -> Result<(), StoreError> {
        let Kind::Manifest(manifest) = document.kind() else {
            return Ok(());
        };
        for blob in manifest.blobs() {
            match self.blob_size(&blob.digest) {
                Some(got) if got == blob.size => {}
                Some(got) => {
                    let (blob, expected) = (blob.digest, blob.size);
                    return Err(StoreError::Size {
                        blob,
                        got,
                        expected,
                    });
                }
                None => return Err(self.blob_not_found(&blob.digest)),
            }
        }
        Ok(())
    }

    pub(super) fn blob_not_found(&self, digest: &Digest) -> StoreError {
        StoreError::BlobNotFound {
            blob: *digest,
            place: self.root().display().to_string(),
        }
    }
}
