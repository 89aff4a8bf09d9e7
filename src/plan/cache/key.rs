//! What a content is made of → a key that is another one as soon as any of it may have changed.

use std::time::{Duration, SystemTime};

use crate::model::source::{Identity, ModelFile};
use crate::oci::{Algorithm, Digest, Hasher};
use crate::plan::content::{Segment, Segments};

/// Names this way to make keys; another one has another name.
const KIND: &[u8] = b"modelctl content 1\n";

/// A SHA-256 over the identities of the files, the ranges of them, and all other bytes.
pub(super) type Key = Digest;

/// The key of a content; `None` where no file is read for it, which is hashed as quickly.
pub(super) fn key(content: &Segments) -> Option<Key> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(KIND);
    let mut reads_files = false;
    for segment in content.segments() {
        match segment {
            Segment::Range {
                file,
                offset,
                length,
            } => {
                reads_files = true;
                hasher.update(b"r");
                hasher.update(&bytes_of(&file.identity()));
                hasher.update(&offset.to_le_bytes());
                hasher.update(&length.to_le_bytes());
            }
            Segment::Zeros(length) => {
                hasher.update(b"z");
                hasher.update(&length.to_le_bytes());
            }
            Segment::Bytes(bytes) => {
                hasher.update(b"b");
                hasher.update(&(bytes.len() as u64).to_le_bytes());
                hasher.update(bytes);
            }
        }
    }
    reads_files.then(|| hasher.finish())
}

/// Whether every file that a content reads is still what it was when it was walked, and was last
/// changed well before a moment.
pub(super) fn is_settled(content: &Segments, begun: SystemTime, margin: Duration) -> bool {
    let mut last: Option<&ModelFile> = None;
    content.segments().iter().all(|segment| match segment {
        Segment::Range { file, .. } => {
            // Most segments that follow are of the same file.
            let is_known = last.is_some_and(|last| std::ptr::eq(last, &**file));
            last = Some(file);
            is_known || file_is_settled(file, begun, margin)
        }
        Segment::Zeros(_) | Segment::Bytes(_) => true,
    })
}

fn file_is_settled(file: &ModelFile, begun: SystemTime, margin: Duration) -> bool {
    let now = std::fs::symlink_metadata(&file.location);
    let identity = file.identity();
    now.is_ok_and(|now| Identity::of(&now) == identity) && identity.is_older(begun, margin)
}

fn bytes_of(identity: &Identity) -> [u8; 56] {
    let mut bytes = [0; 56];
    let (modified, changed) = (identity.modified, identity.changed);
    let times = [modified.0, modified.1, changed.0, changed.1];
    let numbers = [identity.device, identity.inode, identity.size].map(u64::to_le_bytes);
    let times = times.map(i64::to_le_bytes);
    for (place, number) in bytes.chunks_exact_mut(8).zip(numbers.iter().chain(&times)) {
        place.copy_from_slice(number);
    }
    bytes
}
