//! How files enter a layout: under a temporary name, made durable, then renamed. Blobs that come
//! from elsewhere have a temporary name that the next run knows: [`super::partial`].
//!
//! content → a file under its final name, complete and on disk, or no file at all. The order is
//! write, fsync of the file, rename, fsync of the folder: after a power loss the final name leads
//! to the whole content or to nothing.

use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::{NamedTempFile, TempDir};

use super::{partial, space};
use crate::oci::Digest;
use crate::store::StoreError;

/// The folder of files that are not complete yet, as oras names it.
pub(super) const FOLDER: &str = "ingest";
/// How the names of temporary folders begin.
const SCRATCH_PREFIX: &str = "scratch-";
/// The mode of a blob: it never changes again.
pub(super) const BLOB_MODE: u32 = 0o444;
/// The mode of a document that is replaced from time to time.
const DOCUMENT_MODE: u32 = 0o644;

/// Stores or replaces a document at `path`, which lies in the layout `root`.
pub(super) fn document(root: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut file = temporary(root)?;
    file.write_all(bytes).map_err(StoreError::io(file.path()))?;
    persist(file, path, DOCUMENT_MODE)
}

/// Makes a temporary folder.
pub(super) fn scratch(root: &Path) -> Result<TempDir, StoreError> {
    let ingest = root.join(FOLDER);
    folder(&ingest)?;
    TempDir::with_prefix_in(SCRATCH_PREFIX, &ingest).map_err(StoreError::io(&ingest))
}

/// A blob that is not complete.
#[derive(Debug)]
pub(super) struct Incomplete {
    pub(super) blob: Digest,
    /// What its file takes of the disk in bytes.
    pub(super) taken: u64,
    /// When it was last written.
    pub(super) written: SystemTime,
}

/// The blobs that are not complete, whether someone is at them or not.
pub(super) fn incomplete(root: &Path) -> Result<Vec<Incomplete>, StoreError> {
    let mut found = Vec::new();
    for entry in entries(root)? {
        let Some(blob) = partial::digest_of(&entry.file_name().to_string_lossy()) else {
            continue;
        };
        let path = entry.path();
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => found.push(Incomplete {
                blob,
                taken: space::taken(&path),
                written: metadata.modified().map_err(StoreError::io(&path))?,
            }),
            // It was completed a moment ago, or is nothing of ours.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io(&path)(error)),
        }
    }
    Ok(found)
}

/// The files and folders that writers left behind and nobody goes on with. Under the exclusive content
/// lock nobody writes any more. Folders of other tools are left alone.
pub(super) fn leftovers(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let is_ours = |entry: &DirEntry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_partial = partial::digest_of(&name).is_some();
        entry.file_type().is_ok_and(|kind| {
            (kind.is_file() && !is_partial) || (kind.is_dir() && name.starts_with(SCRATCH_PREFIX))
        })
    };
    let mut found = entries(root)?;
    found.retain(is_ours);
    let mut found: Vec<PathBuf> = found.iter().map(DirEntry::path).collect();
    found.sort();
    Ok(found)
}

fn entries(root: &Path) -> Result<Vec<DirEntry>, StoreError> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io(&folder))?,
    };
    let entries: io::Result<Vec<DirEntry>> = entries.collect();
    entries.map_err(StoreError::io(&folder))
}

/// Removes one of the [`leftovers`]; one that is gone already is as good.
pub(super) fn remove_leftover(path: &Path) -> Result<(), StoreError> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, and their names durable.
pub(super) fn folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(StoreError::io(path))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::io(path))
}

fn temporary(root: &Path) -> Result<NamedTempFile, StoreError> {
    let ingest = root.join(FOLDER);
    folder(&ingest)?;
    NamedTempFile::with_prefix_in("", &ingest).map_err(StoreError::io(&ingest))
}

/// Gives a file whose content was verified the name `path` of a blob.
pub(super) fn persist_blob(file: NamedTempFile, path: &Path) -> Result<(), StoreError> {
    persist(file, path, BLOB_MODE)
}

fn persist(file: NamedTempFile, path: &Path, mode: u32) -> Result<(), StoreError> {
    let parent = path.parent().expect("a file of a layout lies in a folder");
    folder(parent)?;
    let durable = file
        .as_file()
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| file.as_file().sync_all());
    durable.map_err(StoreError::io(file.path()))?;
    file.persist(path)
        .map_err(|error| StoreError::io(path)(error.error))?;
    sync_folder(parent)
}
