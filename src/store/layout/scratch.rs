//! Temporary folders beside the blobs of a layout.

use std::path::Path;

use tempfile::TempDir;

use super::{Hold, Layout, ingest};
use crate::store::StoreError;

/// A temporary folder; it goes when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    // Fields are dropped in this order: the folder is gone before `gc` may look.
    folder: TempDir,
    _hold: Hold,
}

impl Scratch {
    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Layout {
    /// Makes a temporary folder where there is room for a model. `gc` is kept away until it is
    /// dropped, and removes what a killed process left of it.
    pub fn scratch(&self) -> Result<Scratch, StoreError> {
        let hold = self.hold()?;
        let folder = ingest::scratch(self.root())?;
        Ok(Scratch {
            folder,
            _hold: hold,
        })
    }
}
