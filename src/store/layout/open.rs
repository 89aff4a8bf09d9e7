//! Opens a layout, or makes one.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::{Deserialize, Serialize};

use super::lock::{IndexLock, LOCK_FILES};
use super::{index_file, ingest};
use crate::oci::Index;
use crate::store::{Pieces, StoreError};

/// The file that says that a folder is a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The only version there is.
const VERSION: &str = "1.0.0";
/// The longest marker that is read, in bytes.
const MAX_MARKER: u64 = 4096;

/// A folder in the form of an OCI image layout. Clones are the same layout.
#[derive(Debug, Clone)]
pub struct Layout {
    root: Arc<Path>,
    /// How often writing has failed: what was on its way then is not kept for later.
    pub(super) faults: Arc<AtomicU64>,
    /// The buffers of blobs on their way.
    pub(super) pieces: Pieces,
}

/// What `oci-layout` holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// Opens a layout that is there. Nothing is written, so that it may be read-only.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let marker = path.join(MARKER);
        let refuse = |reason: &str| StoreError::Layout {
            path: marker.clone(),
            reason: reason.to_owned(),
        };
        let mut text = String::new();
        match File::open(&marker) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StoreError::NameNotFound {
                    name: MARKER.to_owned(),
                    place: path.display().to_string(),
                });
            }
            file => file
                .and_then(|file| file.take(MAX_MARKER).read_to_string(&mut text))
                .map_err(StoreError::io(&marker))?,
        };
        match serde_json::from_str(&text) {
            Ok(Marker {
                image_layout_version,
            }) if image_layout_version == VERSION => Ok(Self::unchecked(path)),
            Ok(_) => Err(refuse("expected `imageLayoutVersion` 1.0.0")),
            Err(_) => Err(refuse("not valid JSON; `repair` makes a new one")),
        }
    }

    /// Opens a layout, or makes one of a folder that is empty or not there.
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        if path.join(MARKER).exists() {
            return Self::open(path);
        }
        ingest::folder(path)?;
        refuse_foreign(path)?;
        let _lock = IndexLock::acquire(path)?;
        if !index_file::path(path).exists() {
            index_file::write(path, Index::new(Vec::new()))?;
        }
        ingest::folder(&path.join("blobs/sha256"))?;
        write_marker(path)?;
        Self::open(path)
    }

    /// A layout in a folder that may be damaged.
    pub(super) fn unchecked(path: &Path) -> Self {
        Self {
            root: path.into(),
            faults: Arc::default(),
            pieces: Pieces::default(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// Refuses to turn a folder with other things in it into a layout. What an interrupted creation
/// left is none of them, nor what another process makes at this moment.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    const OURS: [&str; 4] = ["blobs", "index.json", ingest::FOLDER, MARKER];
    let ours = |name: &str| OURS.contains(&name) || LOCK_FILES.contains(&name);
    for entry in fs::read_dir(path).map_err(StoreError::io(path))? {
        let name = entry.map_err(StoreError::io(path))?.file_name();
        if !name.to_str().is_some_and(ours) {
            let reason = format!(
                "not an OCI image layout, and not empty: it has {}",
                name.display()
            );
            let path = path.to_owned();
            return Err(StoreError::Layout { path, reason });
        }
    }
    Ok(())
}

/// Writes the file that says that a folder is a layout.
pub(super) fn write_marker(root: &Path) -> Result<(), StoreError> {
    let image_layout_version = VERSION.to_owned();
    let marker = serde_json::to_vec(&Marker {
        image_layout_version,
    });
    let bytes = marker.expect("a struct of strings is JSON");
    ingest::document(root, &root.join(MARKER), &bytes)
}
