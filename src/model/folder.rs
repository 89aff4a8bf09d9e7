//! What is in a folder on disk, as it is: nothing left out, no link followed.

use std::fs::{self, FileType};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::{MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE, ModelManifest};

/// How deep folders are walked: deeper than any path of a model can be (4096 bytes).
const MAX_DEPTH: usize = 2048;

/// An entry of a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path below the folder.
    pub(crate) path: PathBuf,
    kind: FileType,
}

impl Entry {
    /// Whether it is a regular file.
    pub(crate) fn is_file(&self) -> bool {
        self.kind.is_file()
    }

    /// Whether it is a symbolic link, which is not followed.
    pub(crate) fn is_link(&self) -> bool {
        self.kind.is_symlink()
    }

    /// Whether it is a folder; its entries are listed, too.
    pub(crate) fn is_folder(&self) -> bool {
        self.kind.is_dir()
    }
}

/// Lists every entry below a folder, sorted by path.
pub(crate) fn walk(root: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((path.clone(), depth + 1));
            }
            found.push(Entry { path, kind });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Reads the model manifest of a pulled folder, if there is one that keeps every rule.
pub(crate) fn read_manifest(root: &Path) -> Option<ModelManifest> {
    let bytes = read_small(&root.join(MANIFEST_PATH), MAX_MODEL_MANIFEST_SIZE).ok()?;
    ModelManifest::parse_alone(&bytes).ok()
}

/// Reads a regular file of at most `limit` bytes; neither the file nor a link to it may change that.
pub(crate) fn read_small(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("it is longer than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(bytes)
}

/// Opens a file that must be a regular one: a link is not followed, and a FIFO not waited for.
pub(crate) fn open_regular(path: &Path) -> io::Result<fs::File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        let message = "it is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(file)
}
