//! Has the system begin early to write what will be synced at the end.

use std::fs::File;
use std::ops::Range;

/// How much is written to a file before the system is asked to begin with it, in bytes.
pub(crate) const WRITE_BACK: u64 = 16 * 1024 * 1024;

/// Has the system begin to write a range of a file, without waiting for it: so little is left to
/// wait for when the file is synced. On Linux "these bytes are not needed" does that (what is being
/// written stays in memory), as PostgreSQL uses it where it has no `sync_file_range`.
#[cfg(target_os = "linux")]
pub(crate) fn write_back(file: &File, range: Range<u64>) {
    // Nothing is not a length: it would mean all that follows.
    if let Some(length) = std::num::NonZeroU64::new(range.end - range.start) {
        // Advice that is not taken costs nothing but time at the end.
        let _ = rustix::fs::fadvise(
            file,
            range.start,
            Some(length),
            rustix::fs::Advice::DontNeed,
        );
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn write_back(_: &File, _: Range<u64>) {}
