//! What stands where a pull wants to write, and whether it may be replaced.
//!
//! Only reads. Nothing and an empty folder are written over; an earlier pull is replaced if there
//! is nothing else in it; anything else is replaced only by force, and what is not a folder never.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::MaterialiseError;
use super::stage::PREFIX;
use crate::model::{MANIFEST_PATH, ModelManifest, SIGNATURES_FOLDER, folder};

/// What a file system puts into every mount point of its own: never written, never in the way.
const LOST_AND_FOUND: &str = "lost+found";

/// What stands at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupant {
    /// Nothing.
    Nothing,
    /// A folder without entries.
    EmptyFolder,
    /// A folder that may be replaced.
    Replaceable,
}

/// Looks at the target. `force` makes every folder replaceable.
pub(super) fn inspect(target: &Path, force: bool) -> Result<Occupant, MaterialiseError> {
    let failed = || MaterialiseError::io(target);
    let occupied = |reason: &str| MaterialiseError::Occupied {
        path: target.to_owned(),
        reason: reason.to_owned(),
    };
    let metadata = match target.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Occupant::Nothing),
        Err(error) => return Err(failed()(error)),
    };
    if metadata.is_symlink() {
        return Err(occupied(
            "is a symbolic link: name the folder that it leads to",
        ));
    }
    if !metadata.is_dir() {
        return Err(occupied("is not a folder"));
    }
    let entries = entries(target).map_err(failed())?;
    if entries.is_empty() {
        return Ok(Occupant::EmptyFolder);
    }
    if force {
        return Ok(Occupant::Replaceable);
    }
    match stranger(target).map_err(failed())? {
        None => Ok(Occupant::Replaceable),
        Some(Stranger::Folder) => Err(occupied(
            "is not empty and no complete pull wrote it: use --force to replace it",
        )),
        Some(Stranger::Entry(path)) => Err(occupied(&format!(
            "holds `{}`, which no pull wrote: move it, or use --force to replace the folder",
            path.display()
        ))),
    }
}

/// The names of what is in a target, without what is never in the way.
pub(super) fn entries(target: &Path) -> io::Result<Vec<OsString>> {
    let mut names = names(target)?;
    names.retain(|name| !is_aside(name));
    Ok(names)
}

/// The names of what is in a folder.
pub(super) fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?;
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

/// Whether an entry at the top of a target belongs to the file system, or to a pull under way.
pub(super) fn is_aside(name: &OsStr) -> bool {
    name == LOST_AND_FOUND || name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

enum Stranger {
    /// There is no model manifest.
    Folder,
    /// An entry that it does not know.
    Entry(PathBuf),
}

/// Looks for what an earlier pull did not write.
fn stranger(target: &Path) -> io::Result<Option<Stranger>> {
    let Some(model) = folder::read_manifest(target) else {
        return Ok(Some(Stranger::Folder));
    };
    let known = known_paths(&model);
    let entries = folder::walk(target)?;
    let unknown = entries.into_iter().find(|entry| {
        let aside = entry.path.iter().next().is_some_and(is_aside);
        let path = entry.path.to_str();
        !aside && !path.is_some_and(|path| known.contains(path) || is_signature(path))
    });
    Ok(unknown.map(|entry| Stranger::Entry(entry.path)))
}

/// The files of a model in either form, and the folders that they are in.
fn known_paths(model: &ModelManifest) -> HashSet<&str> {
    let files = model.files.iter().map(|file| file.path.as_str());
    let layers = model.layers.iter().map(|layer| layer.path.as_str());
    let mut known = HashSet::new();
    for path in files
        .chain(layers)
        .chain([MANIFEST_PATH, SIGNATURES_FOLDER])
    {
        let mut path = path;
        while known.insert(path)
            && let Some((parent, _)) = path.rsplit_once('/')
        {
            path = parent;
        }
    }
    known
}

fn is_signature(path: &str) -> bool {
    let rest = path.strip_prefix(SIGNATURES_FOLDER);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the folder is the root of a mount, which cannot be renamed.
pub(super) fn is_mount(target: &Path) -> io::Result<bool> {
    let own = target.symlink_metadata()?;
    let parent = fs::metadata(target.join(".."))?;
    Ok(own.dev() != parent.dev() || is_mount_root(target)?)
}

/// Bind mounts of the same file system show only here.
#[cfg(target_os = "linux")]
fn is_mount_root(target: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    match statx(CWD, target, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty()) {
        Ok(statx) => Ok(statx.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        Err(rustix::io::Errno::NOSYS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_mount_root(_: &Path) -> io::Result<bool> {
    Ok(false)
}
