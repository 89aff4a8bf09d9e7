//! The lock file on disk: read bounded, changed by one process at a time, replaced as a whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{Lock, LockError, MAX_LOCK_SIZE};

/// Everybody may read what is locked.
const MODE: u32 = 0o644;

/// Reads a lock file. Blocks.
///
/// # Errors
/// It is not there, or malformed: a lock that cannot be read locks nothing, and never reads as empty.
pub fn load(path: &Path) -> Result<Lock, LockError> {
    let mut text = String::new();
    let file = File::open(path).map_err(unusable(path))?;
    let read = file.take(MAX_LOCK_SIZE + 1).read_to_string(&mut text);
    read.map_err(unusable(path))?;
    Lock::parse(&text)
}

/// Changes a lock file, or makes one: read, changed by `change` and replaced while no other process
/// does the same, so that no entry is lost. Where `change` fails, or changes nothing, the file is as it
/// was. Blocks.
pub fn change<T, E: From<LockError>>(
    path: &Path,
    change: impl FnOnce(&mut Lock) -> Result<T, E>,
) -> Result<T, E> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The folder is what is locked: the file itself is replaced, and a lock of it would be of the old one.
    let turn = File::open(folder).map_err(unusable(folder))?;
    turn.lock().map_err(unusable(folder))?;
    let before = match load(path) {
        Err(LockError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
        loaded => Some(loaded?),
    };
    let mut lock = before.clone().unwrap_or_default();
    let changed = change(&mut lock)?;
    if before.as_ref() != Some(&lock) {
        replace(folder, path, &lock).map_err(unusable(path))?;
    }
    Ok(changed)
}

fn replace(folder: &Path, path: &Path, lock: &Lock) -> io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(_) => path.to_owned(),
    };
    let mut file = NamedTempFile::new_in(target.parent().unwrap_or(folder))?;
    file.write_all(lock.to_toml().as_bytes())?;
    let present = fs::metadata(&target).map(|present| present.permissions());
    file.as_file()
        .set_permissions(present.unwrap_or(Permissions::from_mode(MODE)))?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_owned();
    |source| LockError::File { path, source }
}
