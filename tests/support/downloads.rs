//! A blob, registries that give it in their own way, and what a client makes of it.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;
use modelctl::store::{Storage, error_of_read};
use modelctl::transport::{ClientOptions, RangeOptions, Repository};
use tokio::io::AsyncReadExt;

use super::scripted::{Reply, Scripted, Seen};
use super::transport::{anonymous, message, options, read};

pub(crate) const BLOB: &[u8] = b"weights";

pub(crate) fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

/// Bytes of which no two parts are alike.
pub(crate) fn large(length: usize) -> Vec<u8> {
    let words = (0_u32..).flat_map(|at| at.wrapping_mul(0x9e37_79b1).to_le_bytes());
    words.take(length).collect()
}

pub(crate) fn is_get(seen: &Seen) -> bool {
    seen.is("GET /v2/m/blobs/")
}

/// A registry that answers each GET of a blob with the next of these, then honestly.
pub(crate) fn answering(replies: Vec<Reply>, honest: &[u8]) -> Scripted {
    let next = AtomicU32::new(0);
    let server = Scripted::start(move |seen| {
        if !is_get(seen) {
            return None;
        }
        let at = next.fetch_add(1, Ordering::SeqCst) as usize;
        replies.get(at).cloned()
    });
    server.contents().blob(honest);
    server
}

/// What comes of the blob at a registry that always answers the same.
pub(crate) async fn fetch(reply: Reply) -> (Result<Vec<u8>, String>, Option<ErrorKind>) {
    let server = answering(vec![reply; 9], BLOB);
    match read(&anonymous(&server), &blob()).await {
        Ok(bytes) => (Ok(bytes), None),
        Err(error) => (Err(message(&error, &[("R", &server)])), Some(error.kind())),
    }
}

/// A part of a blob.
pub(crate) async fn read_range(
    repository: &Repository,
    blob: &Descriptor,
    range: Range<u64>,
) -> modelctl::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut reader = repository.fetch_range(blob, range).await?;
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error_of_read(error, &blob.digest)),
    }
}

/// The ranges that were asked for, in the order in which they were.
pub(crate) fn ranges(server: &Scripted) -> Vec<Option<Range<usize>>> {
    let log = server.log().into_iter();
    log.filter(|seen| seen.path().contains("/blobs/") || seen.path().starts_with("/store"))
        .map(|seen| seen.range())
        .collect()
}

/// A client that does not wait long for anything.
pub(crate) fn impatient() -> ClientOptions {
    let mut impatient = options();
    impatient.timeouts.stall = Duration::from_millis(300);
    impatient
}

/// A client that takes every connection for slow.
pub(crate) fn splitting() -> ClientOptions {
    ClientOptions {
        ranges: RangeOptions {
            slow: u64::MAX,
            least: 512 * 1024,
            part: 256 * 1024,
            connections: 8,
            measure: Duration::from_millis(10),
        },
        ..options()
    }
}
