//! An OCI image layout on disk (image-spec `image-layout.md`).
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            the entries: manifests by name, referrers without one
//! blobs/sha256/<hex>    content, mode 0444, never changed
//! ingest/               files that are being written; gc removes what a killed process left
//! .content.lock .index.lock
//! ```
//!
//! Blobs enter by [`Layout::put_blob`], which verifies, and leave by [`super::Storage::fetch`],
//! which verifies. Names lead only to what is there: [`Layout::tag_as`] asks for the manifest and
//! its blobs first. The store names its entries by full reference, `demo/mlp:v1`; the layouts of
//! other tools name them by tag. Files that are not of a layout are left alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::lock::{Hold, IndexLock, LOCK_FILES};
use super::{StoreError, index_file, ingest};
use crate::Result;
use crate::oci::{Descriptor, Digest, Document, Index, Kind, MAX_MANIFEST_SIZE};

/// The file that says that a folder is a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The only version there is.
const VERSION: &str = "1.0.0";
/// The longest marker that is read, in bytes.
const MAX_MARKER: u64 = 4096;

/// A folder in the form of an OCI image layout. Clones are the same layout.
#[derive(Debug, Clone)]
pub struct Layout {
    root: Arc<Path>,
}

/// What `oci-layout` holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens a layout that is there. Nothing is written, so that it may be read-only.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let marker = path.join(MARKER);
        let refuse = |reason: &str| StoreError::Layout {
            path: marker.clone(),
            reason: reason.to_owned(),
        };
        let mut text = String::new();
        match File::open(&marker) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NameNotFound {
                    name: MARKER.to_owned(),
                    place: path.display().to_string(),
                });
            }
            file => file
                .and_then(|file| file.take(MAX_MARKER).read_to_string(&mut text))
                .map_err(StoreError::io(&marker))?,
        };
        match serde_json::from_str(&text) {
            Ok(Marker {
                image_layout_version,
            }) if image_layout_version == VERSION => Ok(Self { root: path.into() }),
            Ok(_) => Err(refuse("expected `imageLayoutVersion` 1.0.0")),
            Err(_) => Err(refuse("not valid JSON; `repair` makes a new one")),
        }
    }

    /// Opens a layout, or makes one of a folder that is empty or not there.
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        if path.join(MARKER).exists() {
            return Self::open(path);
        }
        ingest::folder(path)?;
        refuse_foreign(path)?;
        let _lock = IndexLock::acquire(path)?;
        if !index_file::path(path).exists() {
            index_file::write(path, Index::new(Vec::new()))?;
        }
        ingest::folder(&path.join("blobs/sha256"))?;
        write_marker(path)?;
        Self::open(path)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob lies, whether it is there or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        let folder = self.root.join("blobs").join(digest.algorithm().as_str());
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
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.blob_not_found(digest));
            }
            file => file.map_err(StoreError::io(&path))?,
        };
        let metadata = file.metadata().map_err(StoreError::io(&path))?;
        if !metadata.is_file() {
            let reason = "not a regular file".to_owned();
            return Err(StoreError::Layout { path, reason });
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
        let mut reader = super::VerifyReader::new(file, &expected);
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|error| super::error_of_read(error, digest))?;
        Ok(Document::parse(bytes, media_type)?)
    }

    /// Stores exactly the expected blob, or nothing. A blob that is there already is left as it is.
    /// Of a manifest with a subject an entry without name is made, so that it is found again.
    pub fn put_blob(&self, expected: &Descriptor, content: &mut dyn Read) -> Result<()> {
        let _hold = self.hold()?;
        if self.blob_size(&expected.digest) != Some(expected.size) {
            let path = self.blob_path(&expected.digest);
            ingest::blob(&self.root, &path, expected, content)?;
        }
        self.list_referrer(expected)
    }

    /// Keeps `gc` away until the hold is dropped. Whoever adds an artifact takes one before the
    /// first blob and drops it after the entry is made. Waits while `gc` is running.
    pub fn hold(&self) -> Result<Hold, StoreError> {
        Hold::acquire(&self.root)
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
            place: self.root.display().to_string(),
        }
    }
}

/// Refuses to turn a folder with other things in it into a layout. What an interrupted creation
/// left is none of them.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let ours = |name: &str| {
        ["blobs", "index.json", ingest::FOLDER].contains(&name) || LOCK_FILES.contains(&name)
    };
    for entry in fs::read_dir(path).map_err(StoreError::io(path))? {
        let name = entry.map_err(StoreError::io(path))?.file_name();
        if !name.to_str().is_some_and(ours) {
            let reason = format!(
                "not an OCI image layout, and not empty: it has {}",
                name.display()
            );
            let path = path.to_owned();
            return Err(StoreError::Layout { path, reason });
        }
    }
    Ok(())
}

/// Writes the file that says that a folder is a layout.
pub(super) fn write_marker(root: &Path) -> Result<(), StoreError> {
    let image_layout_version = VERSION.to_owned();
    let marker = serde_json::to_vec(&Marker {
        image_layout_version,
    });
    let bytes = marker.expect("a struct of strings is JSON");
    ingest::document(root, &root.join(MARKER), &bytes)
}
