//! What a file is to the file system: enough to notice that it is another one, or was written to.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// Device, inode, length, and the times of the last change of content and of inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
    /// The length in bytes.
    pub size: u64,
    /// When the content was changed, in seconds since 1970 and nanoseconds. Anyone can set it.
    pub modified: (i64, i64),
    /// When the inode was changed, likewise. Only the clock sets it.
    pub changed: (i64, i64),
}

impl Identity {
    /// Takes it from what the file system says.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether both times lie before a moment by more than a margin. A file that was changed later
    /// than that has other times now.
    pub fn is_older(&self, than: SystemTime, margin: Duration) -> bool {
        let (seconds, nanoseconds) = self.modified.max(self.changed);
        // What was changed before 1970 is old.
        let Ok(seconds) = u64::try_from(seconds) else {
            return true;
        };
        let nanoseconds = u32::try_from(nanoseconds).unwrap_or(0);
        let since = Duration::new(seconds, 0) + Duration::from_nanos(nanoseconds.into());
        let changed = SystemTime::UNIX_EPOCH.checked_add(since + margin);
        changed.is_some_and(|changed| changed < than)
    }
}
