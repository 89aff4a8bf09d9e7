//! Pushes to registries that lie, are picky or break off.

use std::io::{self, Cursor, Read};
use std::time::{Duration, Instant};

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, Reference};
use modelctl::store::{BlobSource, Storage};

use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::transport::{anonymous, message};

const BLOB: &[u8] = b"weights";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
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
