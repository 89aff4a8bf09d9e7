//! Doors for `fuzz/fuzz_targets` to the parsers that are private: bytes → what was read of them, in
//! plain types. What must hold of it is said by the targets.

use std::ops::Range;
use std::time::Duration;

use url::Url;

use crate::oci::Digest;
use crate::registry::{Users, Wanted};
use crate::transport::{Key, Origin, Record};
use crate::{materialise, plan, registry, transport};

/// How far each blob of a pull is: a journal, its key, and the sizes of the blobs.
pub fn journal(bytes: &[u8], key: &Digest, sizes: &[u64]) -> Option<Vec<u64>> {
    materialise::journal_positions(bytes, key, sizes.iter().copied())
}

/// An unfinished upload to `http://registry.example:5000`, of a blob of 1 GiB.
#[derive(Debug, PartialEq, Eq)]
pub struct Upload {
    /// Where it goes on.
    pub location: Url,
    /// Where in the blob.
    pub offset: u64,
    /// The record as it is written.
    pub written: Vec<u8>,
}

/// The record of an upload.
pub fn upload(bytes: &[u8]) -> Option<Upload> {
    let registry = Url::parse("http://registry.example:5000/").expect("a URL");
    let key = Key {
        registry: Origin::of(&registry).expect("HTTP"),
        repository: "a/b".to_owned(),
        digest: Digest::sha256(b"blob"),
        size: 1 << 30,
    };
    let record = Record::parse(bytes, &key)?;
    let written = record.to_bytes(&key).expect("strings and numbers");
    Some(Upload {
        location: record.location,
        offset: record.offset,
        written,
    })
}

/// A digest cache, as it is written after it was read.
pub fn digests(bytes: &[u8]) -> Option<Vec<u8>> {
    plan::parse_digests(bytes).map(|records| plan::write_digests(&records))
}

/// An htpasswd file: the users, with their hashes, or why it is refused.
pub fn htpasswd(text: &str) -> Result<Vec<(String, String)>, String> {
    Users::parse(text).map(|users| users.hashes.into_iter().collect())
}

/// A `Range` header for content of so many bytes: nothing if it is ignored; an empty range where
/// nothing of it is there.
pub fn range(header: &str, size: u64) -> Option<Range<u64>> {
    match registry::wanted(Some(header), size) {
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
        Wanted::Unsatisfiable => Some(0..0),
    }
}

/// The `Content-Range` of a chunk.
pub fn chunk(header: &str) -> Option<Range<u64>> {
    registry::chunk(header)
}

/// The offset that the `Range` of an upload session means.
pub fn upload_offset(header: &str) -> Option<u64> {
    transport::offset_after(header)
}

/// The next page that a `Link` names.
pub fn next_page(header: &str) -> Option<&str> {
    transport::next_target(header)
}

/// How long a `Retry-After` asks to wait, beside a `Date`.
pub fn retry_after(header: &str, date: &str) -> Option<Duration> {
    transport::asked_wait(header, Some(date))
}
