//! How much room a disk has.

use std::io;
use std::path::Path;

use rustix::fs::statvfs;

/// How many bytes this user may still write where a path is.
pub(crate) fn free_space(path: &Path) -> io::Result<u64> {
    let free = statvfs(path)?;
    Ok(free.f_bavail.saturating_mul(free.f_frsize))
}
