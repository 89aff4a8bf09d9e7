//! A blob on its way into a layout: a file under its digest, with which the next run goes on.
//!
//! ```text
//! ingest/sha256-<hex>    its length is how much has come; locked (flock) while someone writes it
//! ```
//!
//! Whoever has the lock looks again whether the blob is there by now. So of two processes that want
//! one blob the second finds it, or goes on where the first died: the kernel frees a dead owner's
//! lock. Space is reserved behind the length, which thus stays the mark of what has come; after a
//! power loss it may lie, and the digest, which is that of the whole, finds it out.
//!
//! A file is kept when its writer is killed, cancelled, or loses its source, and removed when its
//! content is wrong or the disk fails.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Layout, ingest, pipeline, space};
use crate::Result;
use crate::oci::{Descriptor, Digest, Hasher};
use crate::store::blocking::Wanted;
use crate::store::{Pieces, StoreError, VerifyReader, WRITE_BACK, reserve, write_back};

/// How much of what is there is hashed between two looks at whether anyone still waits.
const PIECE: usize = 1024 * 1024;
/// Until it is complete. The umask takes from it.
const MODE: u32 = 0o644;

/// A blob on its way, locked.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    blob: Descriptor,
    /// How much of the blob the file holds.
    length: u64,
    hasher: Hasher,
    /// How much of it the kernel was asked to write.
    written_back: u64,
    is_complete: bool,
    faults: Arc<AtomicU64>,
    pieces: Pieces,
    faults_before: u64,
}

impl Partial {
    /// Opens and locks the file of a blob; `None` while someone else has it.
    pub(super) fn lock(layout: &Layout, blob: &Descriptor) -> Result<Option<Self>, StoreError> {
        ingest::folder(&layout.root().join(ingest::FOLDER))?;
        let path = path(layout.root(), &blob.digest);
        loop {
            let file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(StoreError::io(&path)(error)),
            }
            let metadata = file.metadata().map_err(StoreError::io(&path))?;
            // Who had it may have completed or removed it.
            let there = fs::symlink_metadata(&path);
            if !there.is_ok_and(|it| (it.dev(), it.ino()) == (metadata.dev(), metadata.ino())) {
                continue;
            }
            if !metadata.is_file() || metadata.nlink() != 1 {
                return Err(irregular(&path));
            }
            let mut partial = Self {
                file,
                blob: blob.clone(),
                length: metadata.len(),
                hasher: Hasher::new(blob.digest.algorithm()),
                written_back: 0,
                is_complete: false,
                faults: layout.faults.clone(),
                pieces: layout.pieces.clone(),
                faults_before: layout.faults.load(Ordering::SeqCst),
                path,
            };
            if partial.length > blob.size {
                partial.restart()?;
            }
            return Ok(Some(partial));
        }
    }

    /// The blob that this will be.
    pub(super) fn blob(&self) -> &Descriptor {
        &self.blob
    }

    /// How much of it is there, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Hashes what is there, and reserves space for the rest.
    pub(super) fn take_up(&mut self, wanted: &Wanted) -> Result<(), StoreError> {
        self.reserve()?;
        let mut buffer = vec![0; PIECE.min(usize::try_from(self.length).unwrap_or(PIECE))];
        let mut position = 0;
        while position < self.length {
            wanted.check().map_err(|cause| StoreError::Read {
                blob: self.blob.digest,
                cause,
            })?;
            let count = match self.file.read_at(&mut buffer, position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count.map_err(StoreError::io(&self.path))?,
            };
            if count == 0 {
                return self.restart();
            }
            self.hasher.update(&buffer[..count]);
            position += count as u64;
        }
        self.length = position;
        Ok(())
    }

    /// Shares the extents of a file that is the blob. `false` says that the file systems cannot do
    /// it, or that the file is not the blob: reading it then tells what is wrong, and with what.
    pub(super) fn clone_from(&mut self, original: &File) -> Result<bool, StoreError> {
        if !share_extents(&self.file, original) {
            return Ok(false);
        }
        // The clone is read, and not the original, which may change meanwhile.
        let content = VerifyReader::new(&self.file, &self.blob);
        let mut content = io::BufReader::with_capacity(PIECE, content);
        if io::copy(&mut content, &mut io::sink()).is_err() {
            self.restart()?;
            return Ok(false);
        }
        self.length = self.blob.size;
        Ok(true)
    }

    /// Takes in what follows the bytes that are there, and checks the whole.
    pub(super) fn receive(&mut self, content: impl Read + Send) -> Result<()> {
        let content = VerifyReader::of_rest(content, &self.blob, self.length);
        let left = self.blob.size - self.length;
        let Self {
            path,
            file,
            length,
            written_back,
            ..
        } = self;
        let write = |bytes: &[u8]| {
            let written = file.write_all_at(bytes, *length);
            written.map_err(|error| fault(path, left, error))?;
            *length += bytes.len() as u64;
            if *length - *written_back >= WRITE_BACK {
                write_back(file, *written_back..*length);
                *written_back = *length;
            }
            Ok(())
        };
        let blob = self.blob.digest;
        pipeline::pump(
            content,
            (&blob, left),
            &self.pieces,
            &mut self.hasher,
            write,
        )?;
        let got = self.hasher.clone().finish();
        if got != blob {
            return Err(StoreError::Mismatch { blob, got }.into());
        }
        Ok(())
    }

    /// Forgets what is there.
    pub(super) fn restart(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0).map_err(StoreError::io(&self.path))?;
        self.length = 0;
        self.written_back = 0;
        self.hasher = Hasher::new(self.blob.digest.algorithm());
        Ok(())
    }

    /// Gives the complete blob its final name: fsync, rename, fsync of the folder.
    pub(super) fn finish(mut self, path: &Path) -> Result<(), StoreError> {
        let finished = self.put_in_place(path);
        if finished.is_err() {
            self.length = 0;
        }
        finished
    }

    fn put_in_place(&mut self, path: &Path) -> Result<(), StoreError> {
        let folder = path.parent().expect("a blob lies in a folder");
        ingest::folder(folder)?;
        let synced = self.file.sync_all();
        synced.map_err(|error| fault(&self.path, 0, error))?;
        fs::rename(&self.path, path).map_err(StoreError::io(path))?;
        self.is_complete = true;
        // Not before: whoever goes on with a file that was left here has to be able to write it.
        let mode = fs::Permissions::from_mode(ingest::BLOB_MODE);
        let protected = self.file.set_permissions(mode);
        protected.map_err(StoreError::io(path))?;
        ingest::sync_folder(folder)
    }

    fn reserve(&self) -> Result<(), StoreError> {
        let left = self.blob.size - self.length;
        reserve(&self.file, 0..self.blob.size).map_err(|error| fault(&self.path, left, error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let is_kept = self.length > 0 && self.faults.load(Ordering::SeqCst) == self.faults_before;
        if !self.is_complete && !is_kept {
            // What cannot be removed now is taken up by the next run, or removed by `gc`.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The file of a blob on its way.
pub(super) fn path(root: &Path, blob: &Digest) -> PathBuf {
    let name = format!("{}-{}", blob.algorithm(), blob.hex());
    root.join(ingest::FOLDER).join(name)
}

/// The digest of the blob whose file has this name.
pub(super) fn digest_of(name: &str) -> Option<Digest> {
    let (algorithm, hex) = name.split_once('-')?;
    format!("{algorithm}:{hex}").parse().ok()
}

/// Opens the file, or makes it. A link is not followed: it would lead out of the layout.
fn open(path: &Path) -> Result<File, StoreError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    match opened {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => Err(irregular(path)),
        file => file.map_err(StoreError::io(path)),
    }
}

fn irregular(path: &Path) -> StoreError {
    StoreError::Layout {
        path: path.to_owned(),
        reason: "not a regular file of its own: remove it".to_owned(),
    }
}

/// Says how much space is missing where that is the fault.
fn fault(path: &Path, needed: u64, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull => space::exhausted(path, needed, error),
        _ => StoreError::io(path)(error),
    }
}

#[cfg(target_os = "linux")]
fn share_extents(file: &File, original: &File) -> bool {
    rustix::fs::ioctl_ficlone(file, original).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share_extents(_: &File, _: &File) -> bool {
    false
}
