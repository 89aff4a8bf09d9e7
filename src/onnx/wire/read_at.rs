//! Positioned reads: an offset in a file or a slice → its bytes, with nothing mapped and no cursor
//! that two readers could move.

use std::fs::File;
use std::io;

/// Bytes that can be read at any offset.
pub trait ReadAt {
    /// Reads at most `buffer.len()` bytes at an offset in bytes and says how many; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The size in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Fills the buffer from an offset in bytes; fails with `UnexpectedEof` where the bytes end.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset
                .checked_add(filled as u64)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            match self.read_at(&mut buffer[filled..], at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for &[u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        ReadAt::read_at(&self.as_slice(), buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_end_where_they_end() {
        let bytes = vec![1, 2, 3];
        let mut buffer = [0; 2];
        assert_eq!(ReadAt::read_at(&bytes, &mut buffer, 2).unwrap(), 1);
        assert_eq!(ReadAt::read_at(&bytes, &mut buffer, u64::MAX).unwrap(), 0);
        bytes.read_exact_at(&mut buffer, 1).unwrap();
        assert_eq!(buffer, [2, 3]);
        let error = bytes.read_exact_at(&mut buffer, 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
