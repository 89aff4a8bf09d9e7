//! How files enter a layout: under a temporary name, made durable, then renamed.
//!
//! content → a file under its final name, complete and on disk, or no file at all. The order is
//! write, fsync of the file, rename, fsync of the folder: after a power loss the final name leads
//! to the whole content or to nothing.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use crate::Error;
use crate::oci::Descriptor;
use crate::store::{StoreError, VerifyReader, error_of_read};

/// The folder of files that are not complete yet, as oras names it.
pub(super) const FOLDER: &str = "ingest";
/// How the names of temporary folders begin.
const SCRATCH_PREFIX: &str = "scratch-";
/// The mode of a blob: it never changes again.
const BLOB_MODE: u32 = 0o444;
/// The mode of a document that is replaced from time to time.
const DOCUMENT_MODE: u32 = 0o644;
/// How much is read and written at once.
const BUFFER: usize = 1024 * 1024;

/// Stores a blob at `path`, which lies in the layout `root`, if the content is what was expected.
pub(super) fn blob(
    root: &Path,
    path: &Path,
    expected: &Descriptor,
    content: &mut dyn Read,
) -> Result<(), Error> {
    let mut file = temporary(root)?;
    let mut content = VerifyReader::new(content, expected);
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = content
            .read(&mut buffer)
            .map_err(|error| error_of_read(error, &expected.digest))?;
        if count == 0 {
            break;
        }
        let written = file.write_all(&buffer[..count]);
        written.map_err(StoreError::io(file.path()))?;
    }
    Ok(persist(file, path, BLOB_MODE)?)
}

/// Stores a blob at `path` as a clone of a file, which shares its extents until either changes.
/// `false` says that the file systems cannot do it, or that the clone is not what was expected:
/// reading the content in the ordinary way then tells what is wrong, and with what.
pub(super) fn clone(
    root: &Path,
    path: &Path,
    expected: &Descriptor,
    original: &File,
) -> Result<bool, StoreError> {
    let file = temporary(root)?;
    if !share_extents(file.as_file(), original) {
        return Ok(false);
    }
    // The clone is read, and not the original, which may change meanwhile.
    let content = VerifyReader::new(file.as_file(), expected);
    let mut content = io::BufReader::with_capacity(BUFFER, content);
    if io::copy(&mut content, &mut io::sink()).is_err() {
        return Ok(false);
    }
    persist(file, path, BLOB_MODE)?;
    Ok(true)
}

#[cfg(target_os = "linux")]
fn share_extents(file: &File, original: &File) -> bool {
    rustix::fs::ioctl_ficlone(file, original).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share_extents(_: &File, _: &File) -> bool {
    false
}

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

/// The files and folders that writers left behind. Under the exclusive content lock nobody writes
/// any more. Folders of other tools are left alone.
pub(super) fn leftovers(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io(&folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io(&folder))?;
        let name = entry.file_name();
        let is_ours = entry.file_type().is_ok_and(|kind| {
            let is_scratch = name.to_string_lossy().starts_with(SCRATCH_PREFIX);
            kind.is_file() || (kind.is_dir() && is_scratch)
        });
        if is_ours {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
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
