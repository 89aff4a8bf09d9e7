//! Whether blobs fit before the first byte of them comes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{Layout, partial};
use crate::oci::Descriptor;
use crate::store::{StoreError, free_space};

/// The unit in which a file says how much of the disk it takes, whatever the file system's is.
const BLOCK: u64 = 512;

impl Layout {
    /// Fails where the blobs that are not there yet do not fit. What has come of one, and what is
    /// reserved for it, counts as there.
    pub(super) fn check_free(&self, blobs: &[Descriptor]) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        let missing = blobs.iter().filter(|blob| {
            seen.insert(blob.digest) && self.blob_size(&blob.digest) != Some(blob.size)
        });
        let needed = missing.fold(0_u64, |sum, blob| {
            let there = taken(&partial::path(self.root(), &blob.digest));
            sum.saturating_add(blob.size.saturating_sub(there))
        });
        let available = free_space(self.root()).map_err(StoreError::io(self.root()))?;
        match needed > available {
            true => Err(short(self.root(), needed, available)),
            false => Ok(()),
        }
    }
}

/// How many bytes of the disk a file takes.
pub(super) fn taken(path: &Path) -> u64 {
    fs::symlink_metadata(path).map_or(0, |it| it.blocks().saturating_mul(BLOCK))
}

/// The error of a disk that is full, at a file for which this many bytes are still to be written.
pub(super) fn exhausted(path: &Path, needed: u64, cause: io::Error) -> StoreError {
    let folder = path.parent().unwrap_or(path);
    match free_space(folder) {
        Ok(available) if available < needed => short(folder, needed, available),
        _ => StoreError::io(path)(cause),
    }
}

fn short(path: &Path, needed: u64, available: u64) -> StoreError {
    StoreError::Space {
        path: path.to_owned(),
        needed,
        available,
        missing: needed - available,
    }
}
