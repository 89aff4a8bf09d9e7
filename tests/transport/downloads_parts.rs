//! Blobs in parts over several connections.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;
use modelctl::store::Storage;
use modelctl::transport::ClientOptions;

use crate::support::downloads::{is_get, large, ranges, splitting};
use crate::support::scripted::{Content, Honest, Reply, Scripted, Seen};
use crate::support::transport::{options, read, with};

const LENGTH: usize = 6 * 1024 * 1024;

/// As much as each connection gives at once.
const PIECE: usize = 64 * 1024;

/// A blob, or the part of it that was asked for, over a connection that is slow.
fn slowly(seen: &Seen, content: &[u8]) -> Reply {
    let paced = |bytes: &[u8]| Content::Paced(bytes.into(), PIECE, Duration::from_millis(8));
    match seen.range() {
        None => Reply::new(200, "").content(paced(content)),
        Some(range) => {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, content.len());
            let part = Reply::new(206, "").with("Content-Range", text);
            part.content(paced(&content[range]))
        }
    }
}

/// A registry whose connections are slow; the script sees each request for a part first.
fn slow(
    script: impl Fn(&Seen, u32, &[u8]) -> Option<Reply> + Send + Sync + 'static,
) -> (Scripted, Descriptor, Arc<Vec<u8>>) {
    let content = Arc::new(large(LENGTH));
    let blob = Descriptor::of("a/b", &content);
    let (served, parts) = (content.clone(), AtomicU32::new(0));
    let server = Scripted::serve(
        Honest::default(),
        move |seen| {
            let is_blob = is_get(seen) || seen.path() == "/store";
            is_blob.then(|| {
                let number = seen.range().map(|_| parts.fetch_add(1, Ordering::SeqCst));
                let scripted = number.and_then(|number| script(seen, number, &served));
                scripted.unwrap_or_else(|| slowly(seen, &served))
            })
        },
        None,
    );
    (server, blob, content)
}

async fn assert_read(options: ClientOptions, server: &Scripted, blob: &Descriptor, content: &[u8]) {
    let bytes = read(&with(options, server), blob).await.unwrap();
    assert!(bytes == content, "other bytes");
}

/// Where connections are slow a blob comes in parts, over several of them, each part once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_blob_comes_in_parts_over_several_connections() {
    let (server, blob, content) = slow(|_, _, _| None);
    assert_read(splitting(), &server, &blob, &content).await;
    let parts: Vec<_> = ranges(&server).into_iter().flatten().collect();
    assert!(parts.len() >= 3, "{parts:?}");
    let mut seen = BTreeSet::new();
    for part in &parts {
        assert!(seen.insert(part.start), "{part:?} came twice");
    }
    let connections: BTreeSet<_> = server.log().iter().map(|seen| seen.connection).collect();
    // On a busy machine one is not always free again when the next part is asked for.
    assert!(
        connections.len() >= 3 && connections.len() <= 16,
        "{connections:?}"
    );
}

/// A fast link, and a small rest, are left to one connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fast_or_small_blob_comes_over_one_connection() {
    let server = Scripted::honest();
    let content = large(24 * 1024 * 1024);
    let blob = server.contents().blob(&content);
    // So little is not reached on the busiest machine.
    let mut fast = options();
    fast.ranges.slow = 1_000_000;
    assert_read(fast, &server, &blob, &content).await;
    assert_eq!(ranges(&server), [None]);

    let (server, blob, content) = slow(|_, _, _| None);
    let mut small = splitting();
    small.ranges.least = LENGTH as u64 + 1;
    assert_read(small, &server, &blob, &content).await;
    assert_eq!(ranges(&server), [None]);
}

/// Security row Q33: a part that fails is asked for by itself, from where it broke off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q33_broken_part_is_asked_for_by_itself() {
    let (server, blob, content) = slow(|seen, number, content| {
        let range = seen.range().unwrap();
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, content.len());
        match number {
            1 => Some(Reply::new(500, "")),
            2 => {
                let length = range.len() as u64;
                let start = content[range][..100_000].to_vec();
                let cut = Content::Claimed(length, start);
                Some(Reply::new(206, "").with("Content-Range", text).content(cut))
            }
            _ => None,
        }
    });
    assert_read(splitting(), &server, &blob, &content).await;
    let parts: Vec<_> = ranges(&server).into_iter().flatten().collect();
    assert!(parts.len() >= 4, "{parts:?}");
    let again = |part: &std::ops::Range<usize>| part.start == parts[2].start + 100_000;
    assert!(parts.iter().any(again), "{parts:?}");
    assert_eq!(parts.iter().filter(|part| **part == parts[1]).count(), 2);
}

/// Security row Q32: a registry without ranges is found out by the first part, and costs nothing
/// but that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q32_registry_without_ranges_is_left_at_one_connection() {
    let (server, blob, content) = slow(|_, _, content| Some(Reply::new(200, content)));
    let repository = with(splitting(), &server);
    assert!(read(&repository, &blob).await.unwrap() == *content);
    assert!(!repository.honours_ranges());
    let parts = ranges(&server);
    assert!(matches!(parts[..], [None, Some(_)]), "{parts:?}");
}

/// Security row Q32: one that stops to honour ranges in the middle: what came is kept, and the rest
/// comes over one connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q32_registry_that_stops_to_give_parts_loses_nothing() {
    for lie in [
        |_: &Seen, content: &[u8]| Reply::new(200, content),
        |_: &Seen, _: &[u8]| Reply::new(416, ""),
        |_: &Seen, content: &[u8]| {
            Reply::new(206, &content[..9]).with("Content-Range", "bytes 0-8/9")
        },
    ] {
        let (server, blob, content) =
            slow(move |seen, number, content| (number >= 3).then(|| lie(seen, content)));
        let repository = with(splitting(), &server);
        assert!(read(&repository, &blob).await.unwrap() == *content);
        assert!(!repository.honours_ranges());
    }
}

/// Security row Q31: parts are asked for where the registry redirected to, as long as that works;
/// then the registry is asked again. Nothing of the registry goes along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q31_parts_use_a_redirect_until_it_expires() {
    let (store, blob, content) = slow(|seen, number, _| {
        let is_over = number >= 3 && seen.query("sig").as_deref() == Some("0");
        is_over.then(|| Reply::new(403, "<Error>expired</Error>"))
    });
    let (url, signed) = (store.url(), AtomicU32::new(0));
    let registry = Scripted::start(move |seen| {
        if seen.header("authorization").is_none() {
            return Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""));
        }
        // The first URL is given to whoever comes before it is over.
        let number = signed.fetch_add(1, Ordering::SeqCst).min(1);
        Some(Reply::redirect(307, format!("{url}/store?sig={number}")))
    });
    let known = ClientOptions {
        ranges: splitting().ranges,
        ..crate::support::tokens::user(&registry)
    };
    assert_read(known, &registry, &blob, &content).await;
    let asked = registry.log().len();
    let served = store.log().len();
    assert!(
        asked < served,
        "the registry was asked {asked} times for {served} parts"
    );
    assert!(store.lines().iter().any(|line| line.ends_with("sig=1")));
    assert!(!store.text().contains("authorization"), "{}", store.text());
}

/// A registry that is missing its blob, or has another one, is told as ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_another_blob_are_a_mismatch() {
    let (server, blob, _) = slow(|seen, number, content| {
        let mut other = content.to_vec();
        other[seen.range()?.start] ^= 1;
        (number == 1).then(|| slowly(seen, &other))
    });
    let error = read(&with(splitting(), &server), &blob).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(
        error.to_string().contains("got content with digest"),
        "{error}"
    );
}

/// Several blobs in flight share the connections that a registry is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_in_flight_share_the_connections() {
    let (server, blob, content) = slow(|_, _, _| None);
    let repository = with(splitting(), &server);
    let reads = (0..3).map(|_| read(&repository, &blob));
    for bytes in futures_util::future::join_all(reads).await {
        assert!(bytes.unwrap() == *content);
    }
    let log = server.log();
    let connections: BTreeSet<_> = log.iter().map(|seen| seen.connection).collect();
    // Eight at a time, and each blob breaks its first connection off once or goes back to one.
    assert!(connections.len() <= 8 + 3 * 4, "{connections:?}");
}
