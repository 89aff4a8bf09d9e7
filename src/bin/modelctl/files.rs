//! Files that are read whole.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::failure::Failure;

/// Reads a file, or so much of a larger one that whoever checks the limit, in bytes, refuses it.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let file = File::open(path).map_err(Failure::file(path))?;
    let read = file.take(limit + 1).read_to_end(&mut content);
    read.map_err(Failure::file(path))?;
    Ok(content)
}
