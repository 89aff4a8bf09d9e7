//! The cache on disk: one file, read whole, replaced whole.
//!
//! ```text
//! modelctl digests 1\n  │ key 32 │ digest 32 │ used 8 │ …  │ sha256 of all before 32
//! ```
//!
//! A file that is not exactly this is no cache. Whoever can write it can also write the program's
//! other files: the checksum is against accidents.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::key::Key;
use crate::oci::Digest;

const MAGIC: &[u8] = b"modelctl digests 1\n";
const RECORD: usize = 32 + 32 + 8;
const CHECKSUM: usize = 32;
/// More would be slower to read than some are to compute: this is 4.7 MB.
const MOST: usize = 65_536;

/// What is known of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its SHA-256.
    pub(crate) digest: Digest,
    /// When it was last asked for, in seconds since 1970.
    pub(crate) used: u64,
}

pub(super) type Records = HashMap<Key, Record>;

/// Reads a cache; one that is missing, broken or too long is empty.
pub(super) fn read(path: &Path) -> Records {
    let limit = MAGIC.len() + MOST * RECORD + CHECKSUM;
    let mut bytes = Vec::new();
    let read =
        fs::File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length <= limit => parse(&bytes).unwrap_or_default(),
        _ => Records::new(),
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Option<Records> {
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    let records = content.strip_prefix(MAGIC)?;
    if records.len() % RECORD != 0 || Digest::sha256(content).value() != checksum {
        return None;
    }
    let records = records.chunks_exact(RECORD).map(|record| {
        let (key, rest) = record.split_first_chunk::<32>()?;
        let (digest, used) = rest.split_first_chunk::<32>()?;
        let used = u64::from_le_bytes(used.try_into().ok()?);
        let digest = Digest::from_sha256(*digest);
        Some((Digest::from_sha256(*key), Record { digest, used }))
    });
    records.collect()
}

/// A cache as it is written; of too many records those used last stay.
pub(crate) fn to_bytes(records: &Records) -> Vec<u8> {
    let mut records: Vec<(&Key, &Record)> = records.iter().collect();
    records.sort_by_key(|(key, record)| (std::cmp::Reverse(record.used), **key));
    records.truncate(MOST);
    let mut bytes = MAGIC.to_vec();
    for (key, record) in records {
        bytes.extend(key.value());
        bytes.extend(record.digest.value());
        bytes.extend(record.used.to_le_bytes());
    }
    let checksum = Digest::sha256(&bytes);
    bytes.extend(checksum.value());
    bytes
}

/// Replaces a cache in one step.
pub(super) fn write(path: &Path, records: &Records) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&to_bytes(records))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
