//! Parts of blobs: what was broken off goes on, and nothing is ever put together wrongly.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::ErrorKind;
use modelctl::store::Storage;

use crate::support::downloads::{
    BLOB, answering, blob, impatient, is_get, large, ranges, read_range,
};
use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::transport::{anonymous, message, read, with};

/// The answer of stores whose signed URLs are over.
fn expired() -> Reply {
    let text = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>";
    Reply::new(403, text).with("Content-Type", "application/xml")
}

/// Security row Q31: a signed URL that is over by the time a broken download goes on: the registry
/// is asked for another one, and what the store says instead of the blob is no content.
#[tokio::test]
async fn q31_expired_redirect_is_asked_for_again() {
    let next = AtomicU32::new(0);
    let store = Arc::new(Scripted::start(move |seen| {
        let served = next.fetch_add(1, Ordering::SeqCst);
        Some(match (served, seen.query("sig").as_deref()) {
            (0, Some("0")) => Reply::new(200, "").content(Content::Claimed(7, b"wei".into())),
            (_, Some("1")) => Reply::new(206, &BLOB[3..]).with("Content-Range", "bytes 3-6/7"),
            _ => expired(),
        })
    }));
    let url = store.url();
    let signed = AtomicU32::new(0);
    let registry = Scripted::start(move |seen| {
        let target = || format!("{url}/store?sig={}", signed.fetch_add(1, Ordering::SeqCst));
        is_get(seen).then(|| Reply::redirect(307, target()))
    });
    assert_eq!(read(&anonymous(&registry), &blob()).await.unwrap(), BLOB);
    assert_eq!(store.lines(), ["GET /store?sig=0", "GET /store?sig=1"]);
    assert_eq!(ranges(&registry), [None, Some(3..7)]);
}

/// Security row Q31: the same in a later process, which knows the offset and no URL.
#[tokio::test]
async fn q31_later_process_asks_the_registry_for_a_redirect() {
    let store =
        Scripted::start(|_| Some(Reply::new(206, &BLOB[3..]).with("Content-Range", "bytes 3-6/7")));
    let target = format!("{}/store?sig=9", store.url());
    let registry = Scripted::start(move |seen| is_get(seen).then(|| Reply::redirect(307, &target)));
    let bytes = read_range(&anonymous(&registry), &blob(), 3..7).await;
    assert_eq!(bytes.unwrap(), &BLOB[3..]);
    assert_eq!(ranges(&registry), [Some(3..7)]);
    assert_eq!(ranges(&store), [Some(3..7)]);
}

/// Security row Q31: a redirect that is refused at once is not content either.
#[tokio::test]
async fn q31_refused_redirect_is_an_error_and_no_content() {
    let store = Scripted::start(|_| Some(expired()));
    let target = format!("{}/store?sig=canary", store.url());
    let registry = Scripted::start(move |seen| is_get(seen).then(|| Reply::redirect(307, &target)));
    let error = read(&anonymous(&registry), &blob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let text = message(&error, &[("S", &store)]);
    assert!(
        text.starts_with("`GET http://S/store?sig=…` failed: access is denied (403)"),
        "{text}"
    );
}

/// Security row Q32: the range survives a redirect.
#[tokio::test]
async fn q32_range_goes_along_with_a_redirect() {
    for status in [301, 302, 303, 307, 308] {
        let store = Scripted::start(|seen| {
            assert_eq!(seen.header("range"), Some("bytes=2-4"));
            Some(Reply::new(206, &BLOB[2..5]).with("Content-Range", "bytes 2-4/7"))
        });
        let target = format!("{}/store", store.url());
        let registry =
            Scripted::start(move |seen| is_get(seen).then(|| Reply::redirect(status, &target)));
        let bytes = read_range(&anonymous(&registry), &blob(), 2..5).await;
        assert_eq!(bytes.unwrap(), &BLOB[2..5]);
        assert_eq!(ranges(&store), [Some(2..5)]);
    }
}

/// Security row Q32: a registry that sends the whole blob for a range gives the range, and is
/// remembered for it.
#[tokio::test]
async fn q32_ignored_range_is_cut_out_of_the_whole() {
    for content in [Content::Bytes(BLOB.into()), Content::Chunked(BLOB.into())] {
        let server = answering(vec![Reply::new(200, "").content(content)], BLOB);
        let repository = anonymous(&server);
        assert!(repository.honours_ranges());
        let bytes = read_range(&repository, &blob(), 2..5).await;
        assert_eq!(bytes.unwrap(), &BLOB[2..5]);
        assert!(!repository.honours_ranges());
        assert!(!repository.clone().honours_ranges());
    }
    let broken = Reply::new(200, "").content(Content::Claimed(7, b"weig".into()));
    let server = answering(vec![broken, Reply::new(200, BLOB)], BLOB);
    let repository = anonymous(&server);
    assert_eq!(read(&repository, &blob()).await.unwrap(), BLOB);
    assert_eq!(ranges(&server), [None, Some(4..7)]);
    assert!(!repository.honours_ranges());
}

/// Security row Q32: whatever else comes for a range is not used; the whole blob is asked for, and
/// the range cut out of it.
#[tokio::test]
async fn q32_anything_but_the_range_is_not_used() {
    let part = |range: &str, body: &str| Reply::new(206, body).with("Content-Range", range);
    for reply in [
        part("bytes 0-2/7", "wei"),
        part("bytes 2-4/8", "igh"),
        part("bytes 2-5/7", "ight"),
        part("bytes 2-4/7", "ight"),
        part("bytes 2-4/7", "ig"),
        part("bytes */7", "igh"),
        part("2-4/7", "igh"),
        part("bytes 2-4", "igh"),
        Reply::new(206, "igh"),
        part("bytes 2-4/7", "igh").with("Content-Range", "bytes 0-2/7"),
        Reply::new(206, "--x\r\nContent-Range: bytes 2-4/7\r\n\r\nigh\r\n--x--")
            .with("Content-Type", "multipart/byteranges; boundary=x"),
        Reply::new(416, "").with("Content-Range", "bytes */7"),
    ] {
        let server = answering(vec![reply.clone()], BLOB);
        let repository = anonymous(&server);
        let bytes = read_range(&repository, &blob(), 2..5).await;
        assert_eq!(bytes.unwrap(), &BLOB[2..5], "{reply:?}");
        assert_eq!(ranges(&server), [Some(2..5), None], "{reply:?}");
        assert!(!repository.honours_ranges());
    }
    for range in ["bytes 2-4/7", "bytes 2-4/*"] {
        let server = answering(vec![part(range, "igh")], BLOB);
        let repository = anonymous(&server);
        let bytes = read_range(&repository, &blob(), 2..5).await;
        assert_eq!(bytes.unwrap(), &BLOB[2..5]);
        assert_eq!(server.log().len(), 1);
        assert!(repository.honours_ranges());
    }
}

/// Security row Q32: the same in the middle of a download: nothing is put together from parts that
/// do not fit.
#[tokio::test]
async fn q32_wrong_range_in_mid_download_leads_to_the_whole() {
    let content = large(300_000);
    let blob = modelctl::oci::Descriptor::of("a/b", &content);
    let broken = Content::Claimed(content.len() as u64, content[..200_000].into());
    let wrong = Reply::new(206, &content[100_000..200_000])
        .with("Content-Range", "bytes 100000-199999/300000");
    let server = answering(vec![Reply::new(200, "").content(broken), wrong], &content);
    assert!(read(&anonymous(&server), &blob).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(200_000..300_000), None]);
}

/// Security row Q32: nothing is asked for where nothing is missing, so no 416 comes of it.
#[tokio::test]
async fn q32_complete_blob_asks_for_nothing() {
    let server = answering(vec![], BLOB);
    let repository = anonymous(&server);
    assert!(
        read_range(&repository, &blob(), 7..7)
            .await
            .unwrap()
            .is_empty()
    );
    let beyond = read_range(&repository, &blob(), 7..8).await.unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::Mismatch);
    assert!(server.log().is_empty());
}

/// Security row Q32: a blob that is shorter at the registry than its descriptor says.
#[tokio::test]
async fn q32_range_beyond_the_registrys_blob_is_a_mismatch() {
    let server = answering(vec![], BLOB);
    let mut longer = blob();
    longer.size = 10;
    let error = read_range(&with(impatient(), &server), &longer, 5..10)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert_eq!(ranges(&server), [Some(5..10), None]);
}
