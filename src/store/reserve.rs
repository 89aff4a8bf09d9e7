//! Space for what is about to be written.

use std::io;
use std::ops::Range;
use std::os::fd::AsFd;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, retry_on_intr};

/// Reserves the space of a range of a file, whose length stays as it is: a disk that is too small
/// shows before the first byte. Where the file system cannot reserve, writing will tell.
pub(crate) fn reserve(file: impl AsFd, range: Range<u64>) -> io::Result<()> {
    let length = range.end.saturating_sub(range.start);
    if length == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::KEEP_SIZE;
    match retry_on_intr(|| fallocate(file.as_fd(), flags, range.start, length)) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::reserve;

    #[test]
    fn length_stays_and_what_cannot_be_is_an_error() {
        let file = tempfile::tempfile().unwrap();
        reserve(&file, 0..0).unwrap();
        reserve(&file, 0..4096).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
        reserve(&file, 0..1 << 62).unwrap_err();
    }
}
