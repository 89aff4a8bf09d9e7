//! Blobs from registries that lie about them.

use modelctl::ErrorKind;

use crate::support::downloads::{BLOB, answering, blob, fetch};
use crate::support::scripted::{Content, Reply};
use crate::support::transport::{anonymous, read};

/// Security row A33.
#[tokio::test]
async fn fetch_rejects_blob_longer_or_shorter_than_descriptor() {
    let digest = blob().digest;
    for (reply, expected) in [
        (
            Reply::new(200, "weights!"),
            format!("`GET http://R/v2/m/blobs/{digest}`: size mismatch: expected 7 bytes, got 8"),
        ),
        (
            Reply::new(200, "weight"),
            format!("`GET http://R/v2/m/blobs/{digest}`: size mismatch: expected 7 bytes, got 6"),
        ),
        (
            Reply::new(200, "").content(Content::Chunked(b"weights!".into())),
            format!("blob `{digest}`: got 8 bytes, expected 7"),
        ),
        (
            Reply::new(200, "").content(Content::Chunked(b"weight".into())),
            format!("blob `{digest}`: got 6 bytes, expected 7"),
        ),
    ] {
        assert_eq!(
            fetch(reply).await,
            (Err(expected), Some(ErrorKind::Mismatch))
        );
    }
}

#[tokio::test]
async fn fetch_rejects_other_content() {
    let (result, kind) = fetch(Reply::new(200, "Weights")).await;
    let expected = format!("blob `{}`: got content with digest `", blob().digest);
    assert!(result.unwrap_err().starts_with(&expected));
    assert_eq!(kind, Some(ErrorKind::Mismatch));
}

/// Security row A32: a size is never believed before the bytes are there.
#[tokio::test]
async fn fetch_with_an_absurd_size_allocates_nothing() {
    let server = answering(
        vec![Reply::new(200, "").content(Content::Chunked(BLOB.into()))],
        BLOB,
    );
    let mut absurd = blob();
    absurd.size = 1 << 62;
    let error = read(&anonymous(&server), &absurd).await.unwrap_err();
    let expected = format!(
        "blob `{}`: got 7 bytes, expected {}",
        absurd.digest,
        1_u64 << 62
    );
    assert_eq!(error.to_string(), expected);
}

/// Security row A32.
#[tokio::test]
async fn error_bodies_are_read_to_a_limit() {
    let (result, kind) = fetch(Reply::new(404, "").content(Content::Endless)).await;
    let digest = blob().digest;
    let expected = format!("`GET http://R/v2/m/blobs/{digest}` failed: not found (404)");
    assert_eq!((result, kind), (Err(expected), Some(ErrorKind::NotFound)));
}
