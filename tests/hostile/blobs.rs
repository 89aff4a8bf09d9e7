//! Blobs from registries that lie, break off or fall silent.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use modelctl::oci::Descriptor;
use modelctl::store::Storage;
use modelctl::{Error, ErrorKind};
use tokio::io::AsyncReadExt;

use crate::support::scripted::{Content, Reply, Scripted, Seen};
use crate::support::transport::{anonymous, message, options, read, with};

const BLOB: &[u8] = b"weights";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

fn is_get(seen: &Seen) -> bool {
    seen.is("GET /v2/m/blobs/")
}

/// A registry that answers each GET of a blob with the next of these, then honestly.
fn answering(replies: Vec<Reply>, honest: &[u8]) -> Scripted {
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

async fn fetch(reply: Reply) -> (Result<Vec<u8>, String>, Option<ErrorKind>) {
    let server = answering(vec![reply; 9], BLOB);
    match read(&anonymous(&server), &blob()).await {
        Ok(bytes) => (Ok(bytes), None),
        Err(error) => (Err(message(&error, &[("R", &server)])), Some(error.kind())),
    }
}

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

/// Quirk Q33.
#[tokio::test]
async fn broken_download_goes_on_where_it_broke_off() {
    for content in [
        Content::Claimed(7, b"wei".into()),
        Content::Stalled(7, b"wei".into()),
    ] {
        let server = answering(vec![Reply::new(200, "").content(content)], BLOB);
        let mut impatient = options();
        impatient.timeouts.stall = Duration::from_millis(200);
        let bytes = read(&with(impatient, &server), &blob()).await.unwrap();
        assert_eq!(bytes, BLOB);
        let ranges: Vec<_> = server
            .log()
            .iter()
            .map(|s| s.header("range").map(str::to_owned))
            .collect();
        assert_eq!(ranges, [None, Some("bytes=3-6".to_owned())]);
    }
}

/// Quirk Q32.
#[tokio::test]
async fn resumed_download_survives_a_registry_without_ranges() {
    let broken = Reply::new(200, "").content(Content::Claimed(7, b"weig".into()));
    let server = answering(vec![broken, Reply::new(200, BLOB)], BLOB);
    assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
}

/// Quirk Q32.
#[tokio::test]
async fn range_is_exactly_the_part_or_an_error() {
    let part = |range: &str, body: &str| Reply::new(206, body).with("Content-Range", range);
    let wrong = |actual: &str| {
        let digest = blob().digest;
        Err(format!(
            "`GET http://R/v2/m/blobs/{digest}`: the registry sent the range {actual:?}, \
             expected `bytes 2-4/7`"
        ))
    };
    for (reply, expected) in [
        (part("bytes 2-4/7", "igh"), Ok("igh".to_owned())),
        (part("bytes 2-4/*", "igh"), Ok("igh".to_owned())),
        (Reply::new(200, BLOB), Ok("igh".to_owned())),
        (
            Reply::new(200, "").content(Content::Chunked(BLOB.into())),
            Ok("igh".to_owned()),
        ),
        (part("bytes 0-2/7", "wei"), wrong("bytes 0-2/7")),
        (part("bytes 2-4/8", "igh"), wrong("bytes 2-4/8")),
        (part("2-4/7", "igh"), wrong("2-4/7")),
        (Reply::new(206, "igh"), wrong("")),
        (
            part("bytes 2-4/7", "igh").with("Content-Range", "bytes 0-2/7"),
            wrong("bytes 2-4/7, bytes 0-2/7"),
        ),
    ] {
        let server = answering(vec![reply], BLOB);
        let result = match anonymous(&server).fetch_range(&blob(), 2..5).await {
            Ok(mut reader) => {
                let mut text = String::new();
                reader
                    .read_to_string(&mut text)
                    .await
                    .map(|_| text)
                    .map_err(|e| e.to_string())
            }
            Err(error) => Err(message(&error, &[("R", &server)])),
        };
        assert_eq!(result, expected);
    }
}

/// Quirk Q35.
#[tokio::test]
async fn encoded_blob_is_refused() {
    let (result, kind) = fetch(Reply::new(200, BLOB).with("Content-Encoding", "gzip")).await;
    let digest = blob().digest;
    let expected = format!(
        "`GET http://R/v2/m/blobs/{digest}`: the registry sent the content encoded as \"gzip\", \
         expected the bytes themselves"
    );
    assert_eq!(
        (result, kind),
        (Err(expected), Some(ErrorKind::Unsupported))
    );
}

#[tokio::test]
async fn blobs_are_asked_for_as_they_are() {
    let server = answering(vec![], BLOB);
    read(&anonymous(&server), &blob()).await.unwrap();
    assert_eq!(server.log()[0].header("accept-encoding"), Some("identity"));
}

/// Quirk Q43.
#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for (status, tries, kind) in [
        (503, 3, ErrorKind::Unavailable),
        (429, 3, ErrorKind::Unavailable),
        (404, 1, ErrorKind::NotFound),
        (403, 1, ErrorKind::Denied),
        (400, 1, ErrorKind::Failed),
        (501, 1, ErrorKind::Unsupported),
    ] {
        let server = answering(vec![Reply::new(status, "no\x1b[2J"); 9], BLOB);
        let error = read(&anonymous(&server), &blob()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.log().len(), tries, "{error}");
        assert!(
            error.to_string().contains(&format!("({status}): no [2J")),
            "{error}"
        );
        assert_eq!(
            error.to_string().contains(" (3 tries in "),
            tries == 3,
            "{error}"
        );
    }
}

#[tokio::test]
async fn passing_trouble_is_not_noticed() {
    let trouble = vec![
        Reply::new(500, ""),
        Reply::new(200, "").content(Content::Nothing),
    ];
    let server = answering(trouble, BLOB);
    assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
    assert_eq!(server.log().len(), 3);
}

/// Quirk Q42.
#[tokio::test]
async fn server_is_given_the_second_it_asks_for() {
    let server = answering(vec![Reply::new(429, "").with("Retry-After", "1")], BLOB);
    let started = std::time::Instant::now();
    assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn registry_that_is_away_is_named() {
    let server = Scripted::honest();
    let repository = anonymous(&server);
    let address = server.address;
    drop(server);
    std::thread::sleep(Duration::from_millis(50));
    let error: Error = read(&repository, &blob()).await.unwrap_err();
    let start = format!(
        "`GET http://{address}/v2/m/blobs/{}` failed: cannot connect: ",
        blob().digest
    );
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
