//! Pushes to registries that lie, are picky or break off.

use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, Reference};
use modelctl::store::{BlobSource, Storage};

use crate::support::scripted::{Content, Reply, Scripted, Seen};
use crate::support::transport::{anonymous, message};

const BLOB: &[u8] = b"weights";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

fn opens_upload(seen: &Seen) -> bool {
    seen.method == "POST" && seen.path().ends_with("/blobs/uploads/")
}

/// Security row A20, quirk Q06: a `Location` is resolved as any URL, and its query is kept.
#[tokio::test]
async fn upload_location_is_understood_in_every_form() {
    for (location, target) in [
        ("/v2/m/blobs/uploads/u1", "/v2/m/blobs/uploads/u1?digest="),
        ("u1", "/v2/m/blobs/uploads/u1?digest="),
        ("?_state=a%2Fb", "/v2/m/blobs/uploads/?_state=a%2Fb&digest="),
        ("../u/u1", "/v2/m/blobs/u/u1?digest="),
        (
            "//{address}/v2/m/blobs/uploads/u1",
            "/v2/m/blobs/uploads/u1?digest=",
        ),
        ("http://{address}/x?a=b&c=#f", "/x?a=b&c=&digest="),
    ] {
        let server = Scripted::start(move |seen| {
            if opens_upload(seen) {
                let location = location.replace("{address}", seen.header("host").unwrap());
                return Some(Reply::new(202, "").with("Location", location));
            }
            (seen.method == "PUT").then(|| Reply::new(201, ""))
        });
        anonymous(&server)
            .push(&blob(), &BLOB.to_vec())
            .await
            .unwrap();
        let put = &server.log()[1];
        assert!(put.target.starts_with(target), "{location}: {}", put.target);
        assert_eq!(put.query("digest"), Some(blob().digest.to_string()));
        assert_eq!(
            (put.body.as_slice(), put.header("content-length")),
            (BLOB, Some("7"))
        );
        assert_eq!(put.header("content-range"), None);
    }
}

#[tokio::test]
async fn upload_location_that_leads_nowhere_is_refused() {
    for (location, reason) in [
        (None, ": the registry answered without a `Location`"),
        (
            Some("http://[::1"),
            ": the registry sent an invalid `location` header: \"http://[::1\"",
        ),
        (
            Some("ftp://h/x"),
            ": refusing to go to `ftp://h/x`: only http and https are followed",
        ),
        (
            Some("http://canary:canary@127.0.0.1/x?y=canary"),
            ": refusing to go to `http://127.0.0.1/x?y=…` with the user name in the URL",
        ),
    ] {
        let server = Scripted::start(move |_| {
            let reply = Reply::new(202, "");
            Some(match location {
                Some(location) => reply.with("Location", location),
                None => reply,
            })
        });
        let error = anonymous(&server)
            .push(&blob(), &BLOB.to_vec())
            .await
            .unwrap_err();
        let expected = format!("`POST http://R/v2/m/blobs/uploads/`{reason}");
        assert_eq!(message(&error, &[("R", &server)]), expected);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(server.log().len(), 1);
    }
}

/// Quirk Q07.
#[tokio::test]
async fn any_success_completes_an_upload() {
    for status in [200, 201, 202, 204] {
        let server =
            Scripted::start(move |seen| (seen.method == "PUT").then(|| Reply::new(status, "")));
        anonymous(&server)
            .push(&blob(), &BLOB.to_vec())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn broken_upload_is_begun_again() {
    let puts = AtomicU32::new(0);
    let server = Scripted::start(move |seen| {
        let is_first = seen.method == "PUT" && puts.fetch_add(1, Ordering::SeqCst) == 0;
        is_first.then(|| Reply::new(201, "").content(Content::Nothing))
    });
    anonymous(&server)
        .push(&blob(), &BLOB.to_vec())
        .await
        .unwrap();
    let methods: Vec<_> = server.log().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["POST", "PUT", "POST", "PUT"]);
    assert_eq!(server.contents().blobs.len(), 1);
}

#[tokio::test]
async fn content_with_another_digest_is_refused() {
    let server = Scripted::honest();
    let error = anonymous(&server)
        .push(&blob(), &b"Weights".to_vec())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(
        error
            .to_string()
            .ends_with("(400): DIGEST_INVALID other digest"),
        "{error}"
    );
    assert!(server.contents().blobs.is_empty());
}

/// A file that changed since it was hashed.
struct Changed(&'static [u8]);

impl BlobSource for Changed {
    fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(&self.0[offset as usize..])))
    }
}

#[tokio::test]
async fn content_of_another_length_is_not_sent_to_its_end() {
    let server = Scripted::honest();
    for (content, reason) in [
        (&b"weight"[..], "content ends after 6 bytes, expected 7"),
        (b"weights!", "content is longer than 7 bytes"),
    ] {
        let error = anonymous(&server)
            .push(&blob(), &Changed(content))
            .await
            .unwrap_err();
        let expected = format!("cannot push blob `{}` to `R`: {reason}", blob().digest);
        assert_eq!(message(&error, &[("R", &server)]), expected);
        assert_eq!(error.kind(), ErrorKind::Mismatch);
    }
    assert!(server.contents().blobs.is_empty());
}

/// A file that cannot be read.
struct Unreadable;

impl BlobSource for Unreadable {
    fn open_at(&self, _: u64) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(FailingReader))
    }
}

struct FailingReader;

impl Read for FailingReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("bad sector"))
    }
}

#[tokio::test]
async fn unreadable_content_is_not_the_registrys_fault() {
    let server = Scripted::honest();
    let error = anonymous(&server)
        .push(&blob(), &Unreadable)
        .await
        .unwrap_err();
    assert_eq!(
        message(&error, &[("R", &server)]),
        format!("cannot push blob `{}` to `R`: bad sector", blob().digest)
    );
    assert_eq!(error.kind(), ErrorKind::Io);
}

/// Quirk Q08: nginx allows 1 MiB unless it is told otherwise.
#[tokio::test]
async fn large_blob_goes_in_chunks_where_a_body_is_limited() {
    let server = Scripted::start(|seen| {
        let is_too_large = seen.length > 1 << 20;
        is_too_large.then(|| Reply::new(413, "<html>413</html>").with("Content-Type", "text/html"))
    });
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|at| (at / 7) as u8).collect();
    let large = Descriptor::of("application/octet-stream", &bytes);
    anonymous(&server).push(&large, &bytes).await.unwrap();
    assert_eq!(server.contents().blobs[&large.digest.to_string()], bytes);
    let log = server.log();
    let last = log.last().unwrap();
    let first = log.iter().rfind(|seen| {
        seen.header("content-range")
            .is_some_and(|r| r.starts_with("0-"))
    });
    assert_eq!(first.unwrap().header("content-range"), Some("0-624999"));
    assert!(last.header("content-range").unwrap().ends_with("-4999999"));
}

#[tokio::test]
async fn blob_that_fits_no_way_is_told() {
    let server = Scripted::start(|seen| (seen.method != "POST").then(|| Reply::new(413, "")));
    let error = anonymous(&server)
        .push(&blob(), &BLOB.to_vec())
        .await
        .unwrap_err();
    let reason = " failed: larger than the registry, or a proxy before it, accepts (413)";
    assert!(error.to_string().ends_with(reason), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// Quirk Q11.
#[tokio::test]
async fn mount_is_tried_and_never_needed() {
    let server = Scripted::honest();
    server.contents().blob(BLOB);
    let repository = anonymous(&server);
    assert!(repository.mount(&blob().digest, "other/m").await.unwrap());
    assert_eq!(server.log()[0].query("from"), Some("other/m".to_owned()));
    let absent = Descriptor::of("a/b", b"absent");
    assert!(!repository.mount(&absent.digest, "other/m").await.unwrap());
    assert!(
        server.lines().last().unwrap().starts_with("DELETE "),
        "the session is left open"
    );
    for status in [400, 403, 404, 405] {
        let refusing = Scripted::start(move |_| Some(Reply::new(status, "")));
        assert!(
            !anonymous(&refusing)
                .mount(&blob().digest, "x")
                .await
                .unwrap()
        );
    }
}

/// Security row A32: what nobody asked for is not read to its end.
#[tokio::test]
async fn endless_answers_to_an_upload_are_not_read() {
    let server = Scripted::start(|seen| {
        let reply = match seen.method.as_str() {
            "POST" => Reply::new(202, "").with("Location", "/v2/m/blobs/uploads/u"),
            "PUT" => Reply::new(201, ""),
            "DELETE" => Reply::new(202, ""),
            _ => return None,
        };
        Some(reply.content(Content::Endless))
    });
    let repository = anonymous(&server);
    let started = Instant::now();
    repository.push(&blob(), &BLOB.to_vec()).await.unwrap();
    let tag: Reference = "m:v1".parse().unwrap();
    repository.delete(&tag).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(server.lines().iter().any(|line| line.starts_with("PUT ")));
}
