//! `index.json` of a layout: bytes ⇄ the entries, replaced as a whole and never edited in place.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::ingest;
use super::lock::IndexLock;
use crate::oci::{Descriptor, Document, Index};
use crate::store::StoreError;
use crate::store::entry::parse_index;

/// The largest `index.json` that is read: about 100,000 entries.
const MAX_SIZE: u64 = 32 * 1024 * 1024;

/// Where it lies.
pub(super) fn path(root: &Path) -> PathBuf {
    root.join("index.json")
}

/// Reads the index. Digests are typed from here on: a hostile name cannot become a path.
pub(super) fn read(root: &Path) -> Result<Index, StoreError> {
    let path = path(root);
    parse_index(&read_bytes(&path)?).map_err(|reason| StoreError::Layout {
        reason: format!("{reason}; `repair` makes a new one"),
        path,
    })
}

/// Reads the bytes of an index, whatever they are.
pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let refuse = |reason: String| StoreError::Layout {
        path: path.to_owned(),
        reason,
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(refuse("not found; `repair` makes a new one".to_owned()));
        }
        file => file.map_err(StoreError::io(path))?,
    };
    let mut bytes = Vec::new();
    let read = file.take(MAX_SIZE + 1).read_to_end(&mut bytes);
    read.map_err(StoreError::io(path))?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(refuse(format!("larger than {MAX_SIZE} bytes")));
    }
    Ok(bytes)
}

/// Replaces the index. The caller holds its lock.
pub(super) fn write(root: &Path, index: Index) -> Result<(), StoreError> {
    ingest::document(root, &path(root), Document::from_index(index).raw())
}

/// Changes the list of entries under the lock; an unchanged list is not written.
pub(super) fn edit<T>(
    root: &Path,
    change: impl FnOnce(&mut Vec<Descriptor>) -> T,
) -> Result<T, StoreError> {
    let _lock = IndexLock::acquire(root)?;
    let mut index = read(root)?;
    let before = index.manifests.clone();
    let result = change(&mut index.manifests);
    if index.manifests != before {
        write(root, index)?;
    }
    Ok(result)
}
