//! Tensor files: read whole, but never more than a bound.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::RunError;

/// The largest tensor file, in bytes: what a laptop can hold a few times over.
const LARGEST: u64 = 1 << 30;

/// Reads a file that the user named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    let bytes = File::open(path).and_then(bounded);
    bytes.map_err(|cause| RunError::Io {
        path: path.to_path_buf(),
        cause,
    })
}

/// Writes a new file, and the folders above it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| fs::write(path, bytes));
    written.map_err(|cause| RunError::Io {
        path: path.to_path_buf(),
        cause,
    })
}

/// Reads to the end, or to the bound.
pub(super) fn bounded(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("a tensor file of more than {LARGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}
