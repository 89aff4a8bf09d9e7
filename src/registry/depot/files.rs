//! Durable changes of small files: each is there whole after a power loss, or not at all.
//!
//! The order is always the same: write a temporary file, fsync it, rename it, fsync the folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use tempfile::NamedTempFile;

use crate::registry::RegistryError;

/// Writes a file by way of a temporary one in `scratch`, replacing what was there.
pub(super) fn write(scratch: &Path, target: &Path, content: &[u8]) -> Result<(), RegistryError> {
    let file = temporary(scratch, content)?;
    file.as_file()
        .sync_all()
        .map_err(RegistryError::at(file.path()))?;
    make_parent(target)?;
    file.persist(target)
        .map_err(|error| RegistryError::at(target)(error.error))?;
    sync_parent(target)
}

/// Writes a temporary file, which is gone unless it gets another name.
pub(super) fn temporary(scratch: &Path, content: &[u8]) -> Result<NamedTempFile, RegistryError> {
    let mut file = NamedTempFile::new_in(scratch).map_err(RegistryError::at(scratch))?;
    file.write_all(content)
        .map_err(RegistryError::at(file.path()))?;
    Ok(file)
}

/// Makes an empty file, or makes one that is there look new; says whether it is.
pub(super) fn touch(target: &Path) -> Result<bool, RegistryError> {
    make_parent(target)?;
    match File::create_new(target) {
        Ok(_) => sync_parent(target).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            freshen(target)?;
            Ok(false)
        }
        Err(error) => Err(RegistryError::at(target)(error)),
    }
}

/// Makes a file look as if it was written now. One that is gone stays gone.
pub(super) fn freshen(target: &Path) -> Result<(), RegistryError> {
    let opened = File::options().write(true).open(target);
    match opened.and_then(|file| file.set_modified(SystemTime::now())) {
        Err(error) if !is_absent(&error) => Err(RegistryError::at(target)(error)),
        _ => Ok(()),
    }
}

/// Removes a file; says whether it was there.
pub(super) fn remove(target: &Path) -> Result<bool, RegistryError> {
    match fs::remove_file(target) {
        Ok(()) => sync_parent(target).map(|()| true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(RegistryError::at(target)(error)),
    }
}

/// Reads a small file; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<String>, RegistryError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(RegistryError::at(path)(error)),
    }
}

/// The names in a folder, sorted; none if it is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<OsString>, RegistryError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(RegistryError::at(folder)(error)),
    };
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(RegistryError::at(folder))?;
    names.sort_unstable();
    Ok(names)
}

/// Makes the folder of a file, durably, with all folders above it.
pub(super) fn make_parent(target: &Path) -> Result<(), RegistryError> {
    let folder = parent(target);
    match fs::create_dir(folder) {
        Ok(()) => sync_parent(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parent(folder)?;
            make_parent(target)
        }
        Err(error) => Err(RegistryError::at(folder)(error)),
    }
}

/// Makes a change of names in the folder of a file durable.
pub(super) fn sync_parent(target: &Path) -> Result<(), RegistryError> {
    let folder = parent(target);
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(RegistryError::at(folder))
}

/// A part of the path that is a file, or not there, makes the whole path absent.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn parent(target: &Path) -> &Path {
    target
        .parent()
        .expect("every file of a depot is below its root")
}
