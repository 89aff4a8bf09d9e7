//! Uploads to the embedded registry: in chunks, broken off, resumed, cancelled, many at a time.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use modelctl::oci::Digest;

use crate::support::embedded::Embedded;
use crate::support::http::{Reply, Request, connect};

fn patch(registry: &Embedded, location: &str, range: &str, body: &[u8]) -> Reply {
    Request::new("PATCH", location)
        .header("Content-Range", range)
        .body(body)
        .send(registry.address)
}

fn finish(registry: &Embedded, location: &str, digest: &Digest, body: &[u8]) -> Reply {
    Request::new("PUT", format!("{location}?digest={digest}"))
        .body(body)
        .send(registry.address)
}

/// How far an upload is, as soon as that is `expected`: a broken connection is noticed in its time.
#[track_caller]
fn stands_at(registry: &Embedded, location: &str, expected: &str) {
    let begin = Instant::now();
    loop {
        let status = registry.ask("GET", location).is(204);
        let range = status.header("range").unwrap();
        if range == expected {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{range}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn upload_goes_on_only_where_it_stands() {
    let registry = Embedded::new();
    let location = registry.open_upload("a");
    patch(&registry, &location, "0-4", b"01234").is(202);
    let refused = patch(&registry, &location, "4-8", b"45678").fails(416, "BLOB_UPLOAD_INVALID");
    assert_eq!(refused.header("range"), Some("0-4"));
    assert_eq!(refused.header("location"), Some(location.as_str()));
    patch(&registry, &location, "5-8", b"5").fails(400, "SIZE_INVALID");
    patch(&registry, &location, "bytes 5-8/9", b"5678").fails(400, "BLOB_UPLOAD_INVALID");
    stands_at(&registry, &location, "0-4");
    let last = Request::new(
        "PUT",
        format!("{location}?digest={}", Digest::sha256(b"012345678")),
    )
    .header("Content-Range", "5-8")
    .body(*b"5678");
    let stored = last.send(registry.address).is(201);
    let blob = registry.ask("GET", stored.header("location").unwrap());
    assert_eq!(blob.is(200).body, b"012345678");
    // It is finished, and there is nothing to go on with.
    registry
        .ask("GET", location)
        .fails(404, "BLOB_UPLOAD_UNKNOWN");
}

#[test]
fn upload_of_chunks_of_unknown_length_is_taken() {
    let registry = Embedded::new();
    let location = registry.open_upload("a");
    let chunked = Request::new("PATCH", location.as_str())
        .header("Transfer-Encoding", "chunked")
        .body(*b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    let taken = chunked.send(registry.address).is(202);
    assert_eq!(taken.header("range"), Some("0-4"));
    // A chunk of unknown length that has a range has the length of the range, or is refused.
    for (range, body) in [
        ("5-6", "3\r\nfgh\r\n0\r\n\r\n"),
        ("5-9", "3\r\nfgh\r\n0\r\n\r\n"),
    ] {
        let location = registry.open_upload("a");
        patch(&registry, &location, "0-4", b"abcde").is(202);
        let wrong = Request::new("PATCH", location.as_str())
            .header("Transfer-Encoding", "chunked")
            .header("Content-Range", range)
            .body(body);
        wrong.send(registry.address).fails(400, "SIZE_INVALID");
    }
    finish(&registry, &location, &Digest::sha256(b"abcde"), b"").is(201);
}

#[test]
fn upload_with_another_digest_leaves_nothing() {
    let registry = Embedded::new();
    let expected = Digest::sha256(b"expected");
    let location = registry.open_upload("a");
    finish(&registry, &location, &expected, b"other").fails(400, "DIGEST_INVALID");
    registry.ask("GET", location).is(404);
    let once = Request::new("POST", format!("/v2/a/blobs/uploads/?digest={expected}"));
    let reply = once.body(*b"other").send(registry.address);
    reply.fails(400, "DIGEST_INVALID");
    for digest in [expected, Digest::sha256(b"other")] {
        registry.ask("GET", format!("/v2/a/blobs/{digest}")).is(404);
        assert!(!registry.content(&digest).exists());
    }
    assert_eq!(registry.unfinished(), 0);
    let location = registry.open_upload("a");
    registry.ask("PUT", location).fails(400, "DIGEST_INVALID");
}

/// Security row K7.
#[test]
fn upload_that_broke_off_goes_on_from_what_arrived() {
    let registry = Embedded::new();
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 31) as u8).collect();
    let digest = Digest::sha256(&content);
    let location = registry.open_upload("a");
    let whole = Request::new("PUT", format!("{location}?digest={digest}")).body(content.as_slice());
    let mut stream = connect(registry.address);
    stream.write_all(whole.head().as_bytes()).unwrap();
    stream.write_all(&content[..2_000_000]).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    // Nothing of it is a blob, and all of it is kept.
    registry.ask("GET", format!("/v2/a/blobs/{digest}")).is(404);
    stands_at(&registry, &location, "0-1999999");
    patch(
        &registry,
        &location,
        "2000000-2999999",
        &content[2_000_000..],
    )
    .is(202);
    finish(&registry, &location, &digest, b"").is(201);
    let blob = registry.ask("GET", format!("/v2/a/blobs/{digest}"));
    assert!(blob.is(200).body == content);
}

/// A client comes back before the registry sees that its connection is dead.
#[test]
fn upload_belongs_to_the_newest_request_about_it() {
    let registry = Embedded::new();
    let location = registry.open_upload("a");
    let old = Request::new("PATCH", location.as_str()).header("Content-Length", "1000");
    let mut stream = connect(registry.address);
    stream.write_all(old.head().as_bytes()).unwrap();
    stream.write_all(b"0123").unwrap();
    thread::sleep(Duration::from_millis(200));
    stands_at(&registry, &location, "0-3");
    Reply::read(stream, false).fails(409, "BLOB_UPLOAD_INVALID");
    finish(&registry, &location, &Digest::sha256(b"012345"), b"45").is(201);
}

#[test]
fn upload_that_is_cancelled_is_gone() {
    let registry = Embedded::new();
    let location = registry.open_upload("a");
    patch(&registry, &location, "0-2", b"abc").is(202);
    assert_eq!(registry.unfinished(), 1);
    registry.ask("DELETE", location.as_str()).is(204);
    assert_eq!(registry.unfinished(), 0);
    for method in ["GET", "DELETE", "PATCH"] {
        registry
            .ask(method, location.as_str())
            .fails(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[test]
fn upload_is_known_in_its_own_repository_only() {
    let registry = Embedded::new();
    let location = registry.open_upload("a");
    let elsewhere = location.replace("/v2/a/", "/v2/b/");
    registry
        .ask("GET", elsewhere)
        .fails(404, "BLOB_UPLOAD_UNKNOWN");
    for id in ["..", "..%2f..%2findex.json", "lock", "%00"] {
        registry
            .ask("GET", format!("/v2/a/blobs/uploads/{id}"))
            .fails(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

#[test]
fn uploads_are_limited_in_number() {
    let registry = Embedded::with(|options| options.uploads = 2);
    let locations = [registry.open_upload("a"), registry.open_upload("a")];
    let refused = registry.ask("POST", "/v2/a/blobs/uploads/");
    let refused = refused.fails(429, "TOOMANYREQUESTS");
    assert_eq!(refused.header("retry-after"), Some("10"));
    registry.ask("DELETE", locations[0].as_str()).is(204);
    registry.open_upload("a");
}

/// Security row K5.
#[test]
fn one_blob_pushed_many_times_at_once_is_stored_once() {
    let registry = Embedded::new();
    let content = vec![42; 2_000_000];
    let digest = Digest::sha256(&content);
    thread::scope(|scope| {
        for i in 0..8 {
            let (registry, content) = (&registry, &content);
            scope.spawn(move || registry.push_blob(["a", "b"][i % 2], content));
        }
    });
    for repository in ["a", "b"] {
        let blob = registry.ask("GET", format!("/v2/{repository}/blobs/{digest}"));
        assert!(blob.is(200).body == content);
    }
    let folder = registry.content(&digest).parent().unwrap().to_owned();
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    assert_eq!(registry.unfinished(), 0);
}

/// A disk that cannot hold what is announced is found before a byte of it is sent.
#[test]
fn upload_larger_than_the_disk_is_refused_at_once() {
    let registry = Embedded::new();
    let digest = Digest::sha256(b"never sent");
    let huge = Request::new("POST", format!("/v2/a/blobs/uploads/?digest={digest}"))
        .header("Content-Length", (1_u64 << 62).to_string())
        .header("Expect", "100-continue");
    let mut stream = connect(registry.address);
    stream.write_all(huge.head().as_bytes()).unwrap();
    Reply::read(stream, false).is(507);
    assert_eq!(registry.unfinished(), 0);
}

/// Security row A28: a body that no longer comes holds nothing for long.
#[test]
fn upload_that_stops_coming_is_answered_and_kept() {
    let registry = Embedded::with(|options| options.patience = Duration::from_millis(300));
    let location = registry.open_upload("a");
    let slow = Request::new("PATCH", location.as_str()).header("Content-Length", "1000");
    let mut stream = connect(registry.address);
    stream.write_all(slow.head().as_bytes()).unwrap();
    stream.write_all(b"0123").unwrap();
    Reply::read(stream, false).is(408);
    stands_at(&registry, &location, "0-3");
}
