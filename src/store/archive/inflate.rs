//! Archives that were compressed after they were written: gzip → a temporary tar that can be read at
//! any position. We never write them: what is hashed is not compressed.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tempfile::{NamedTempFile, TempPath};

use crate::store::StoreError;

/// How much may come out whatever the archive's length: a small model is not a bomb.
const ALWAYS_ALLOWED: u64 = 1024 * 1024 * 1024;
/// How many times its length may come out of an archive; weights shrink by a third at best.
const MAX_RATIO: u64 = 100;
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Read and written at once, in bytes.
const PIECE: usize = 1024 * 1024;

/// Unpacks an archive beside itself if it is compressed; the tar is removed when dropped.
pub(super) fn inflate(path: &Path) -> Result<Option<TempPath>, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io(path))?;
    let mut magic = [0; 2];
    let is_gzip = file.read_exact(&mut magic).is_ok() && magic == MAGIC;
    if !is_gzip {
        return Ok(None);
    }
    file.rewind().map_err(StoreError::io(path))?;
    let length = file.metadata().map_err(StoreError::io(path))?.len();
    let limit = length.saturating_mul(MAX_RATIO).max(ALWAYS_ALLOWED);
    let unpacked = temporary(path).map_err(StoreError::io(path))?;
    unpack(&file, unpacked.as_file(), limit).map_err(|reason| StoreError::Archive {
        path: path.to_owned(),
        reason,
    })?;
    Ok(Some(unpacked.into_temp_path()))
}

/// Beside the archive, where there is room for models; else where temporary files go.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let beside = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let beside = NamedTempFile::new_in(beside.unwrap_or(Path::new(".")));
    beside.or_else(|_| NamedTempFile::new())
}

fn unpack(source: &File, mut sink: &File, limit: u64) -> Result<(), String> {
    let mut decoder = MultiGzDecoder::new(io::BufReader::with_capacity(PIECE, source));
    let mut piece = vec![0; PIECE];
    let mut size = 0;
    loop {
        let count = decoder
            .read(&mut piece)
            .map_err(|error| format!("not valid gzip: {error}"))?;
        if count == 0 {
            return Ok(());
        }
        size += count as u64;
        if size > limit {
            return Err(format!(
                "unpacked size exceeds the limit of {limit} bytes; unpack it with `gunzip` first"
            ));
        }
        sink.write_all(&piece[..count])
            .map_err(|error| format!("cannot be unpacked: {error}"))?;
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn compressed(content: &[u8]) -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        let mut encoder = GzEncoder::new(file.reopen().unwrap(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap();
        file
    }

    #[test]
    fn compressed_content_comes_back_and_is_removed_when_dropped() {
        let file = compressed(b"a tar");
        let unpacked = inflate(file.path()).unwrap().unwrap();
        let path = unpacked.to_path_buf();
        assert_eq!(std::fs::read(&path).unwrap(), b"a tar");
        drop(unpacked);
        assert!(!path.exists());
    }

    #[test]
    fn plain_content_is_left_alone() {
        let file = NamedTempFile::new().unwrap();
        assert!(inflate(file.path()).unwrap().is_none());
    }

    /// Security row A14.
    #[test]
    fn more_than_the_limit_is_refused_before_it_is_written() {
        let file = compressed(&vec![0; 4 * PIECE]);
        let sink = tempfile::tempfile().unwrap();
        let refused = unpack(&file.reopen().unwrap(), &sink, PIECE as u64).unwrap_err();
        assert!(
            refused.starts_with("unpacked size exceeds the limit of 1048576 bytes"),
            "{refused}"
        );
        assert!(sink.metadata().unwrap().len() <= PIECE as u64);
    }

    #[test]
    fn broken_gzip_is_named() {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [0x1f, 0x8b, 8, 0, 1]).unwrap();
        let refused = inflate(file.path()).unwrap_err().to_string();
        assert!(refused.contains("not valid gzip"), "{refused}");
    }
}
