//! Registries that break off, fall silent, trickle, encode, or ask for patience.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;

use crate::support::downloads::{BLOB, answering, blob, fetch, impatient, large, ranges};
use crate::support::log::Log;
use crate::support::scripted::{Authority, Content, Honest, Reply, Scripted};
use crate::support::transport::{anonymous, at, message, options, read, with};

/// Security row Q33: whatever way a download breaks off, it goes on where it did.
#[tokio::test]
async fn q33_broken_download_goes_on_where_it_broke_off() {
    for content in [
        Content::Claimed(7, b"wei".into()),
        Content::Stalled(7, b"wei".into()),
        Content::CutChunks(b"wei".into()),
        Content::Reset(7, b"wei".into()),
    ] {
        let server = answering(vec![Reply::new(200, "").content(content.clone())], BLOB);
        let bytes = read(&with(impatient(), &server), &blob()).await.unwrap();
        assert_eq!(bytes, BLOB);
        assert_eq!(ranges(&server), [None, Some(3..7)], "{content:?}");
    }
}

/// Security row Q33: no byte is asked for twice, however often it breaks off, and what came renews
/// the budget of tries.
#[tokio::test]
async fn q33_no_byte_moves_twice() {
    const STEP: usize = 1_200_000;
    let content = Arc::new(large(6 * STEP));
    let blob = Descriptor::of("a/b", &content);
    let served = content.clone();
    let server = Scripted::start(move |seen| {
        let start = seen.range().map_or(0, |range| range.start);
        let piece = served[start..start + STEP].to_vec();
        let rest = (served.len() - start) as u64;
        let reply = Reply::new(if start == 0 { 200 } else { 206 }, "");
        let text = format!("bytes {start}-{}/{}", served.len() - 1, served.len());
        let reply = if start == 0 {
            reply
        } else {
            reply.with("Content-Range", text)
        };
        Some(reply.content(Content::Claimed(rest, piece)))
    });
    // Five failures with three tries.
    assert!(read(&anonymous(&server), &blob).await.unwrap() == *content);
    let starts: Vec<_> = ranges(&server)
        .into_iter()
        .map(|range| range.map_or(0, |range| range.start))
        .collect();
    assert_eq!(starts, [0, STEP, 2 * STEP, 3 * STEP, 4 * STEP, 5 * STEP]);
}

/// Security row Q33: silence before the first byte, once and for ever.
#[tokio::test]
async fn q33_silence_is_not_waited_for_without_end() {
    let silent = || Reply::new(200, "").content(Content::Silent);
    let server = answering(vec![silent()], BLOB);
    assert_eq!(
        read(&with(impatient(), &server), &blob()).await.unwrap(),
        BLOB
    );
    assert_eq!(server.log().len(), 2);
    for content in [Content::Silent, Content::Stalled(7, vec![])] {
        let server = answering(vec![Reply::new(200, "").content(content); 9], BLOB);
        let error = read(&with(impatient(), &server), &blob())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            error
                .to_string()
                .contains("nothing moved for 0 s (3 tries in "),
            "{error}"
        );
        assert_eq!(server.log().len(), 3);
    }
}

/// Security row Q33: one byte now and then is as good as nothing; what came of them stays.
#[tokio::test]
async fn q33_trickle_is_left_for_another_connection() {
    let content = large(1000);
    let blob = Descriptor::of("a/b", &content);
    let trickle = Content::Paced(content.clone(), 1, Duration::from_millis(20));
    let server = answering(vec![Reply::new(200, "").content(trickle)], &content);
    let mut options = impatient();
    options.timeouts.trickle = 100;
    assert!(read(&with(options, &server), &blob).await.unwrap() == content);
    let [None, Some(rest)] = &ranges(&server)[..] else {
        panic!("{:?}", ranges(&server));
    };
    assert!((1..100).contains(&rest.start), "{rest:?}");
    assert_eq!(rest.end, 1000);
}

/// Security row Q35: the bytes themselves are asked for, and nothing else is taken.
#[tokio::test]
async fn q35_encoded_blob_is_refused() {
    for encoding in ["gzip", "zstd", "deflate", "zstd,gzip", "x\u{1b}[2J"] {
        let reply = Reply::new(200, BLOB).with("Content-Encoding", encoding);
        let (result, kind) = fetch(reply).await;
        let digest = blob().digest;
        let shown = encoding.replace('\u{1b}', " ");
        let expected = format!(
            "`GET http://R/v2/m/blobs/{digest}`: the registry sent the content encoded as \
             {shown:?}, expected the bytes themselves"
        );
        if encoding.contains('\u{1b}') {
            // Not even a header that holds an escape is taken.
            assert!(result.is_err());
            continue;
        }
        assert_eq!(
            (result, kind),
            (Err(expected), Some(ErrorKind::Unsupported))
        );
    }
    let server = answering(
        vec![Reply::new(200, BLOB).with("Content-Encoding", "identity")],
        BLOB,
    );
    assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
    assert_eq!(server.log()[0].header("accept-encoding"), Some("identity"));
}

/// Security row Q36: what a registry says about a blob beside it is not what is believed.
#[tokio::test]
async fn q36_blobs_digest_is_computed_here() {
    for (name, value) in [
        ("Docker-Content-Digest", "sha256:0000"),
        (
            "Docker-Content-Digest",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("ETag", "W/\"sha256:0\""),
        ("X-None", ""),
    ] {
        let (result, _) = fetch(Reply::new(200, BLOB).with(name, value)).await;
        assert_eq!(result.unwrap(), BLOB);
        let lie = Reply::new(200, "Weights").with(name, blob().digest.to_string());
        let (result, kind) = fetch(lie).await;
        assert!(result.unwrap_err().contains("got content with digest `"));
        assert_eq!(kind, Some(ErrorKind::Mismatch));
    }
}

/// Security row Q44: the page of a captive portal or a login is not a blob.
#[tokio::test]
async fn q44_login_page_is_not_a_blob() {
    let page = "<html>please log in</html>";
    for content in [Content::Bytes(page.into()), Content::Chunked(page.into())] {
        let reply = Reply::new(200, "").with("Content-Type", "text/html; charset=utf-8");
        let (result, kind) = fetch(reply.content(content)).await;
        let expected = format!(
            "`GET http://R/v2/m/blobs/{}`: the registry answered with a page of type `text/html`, \
             expected a blob; is it a login page?",
            blob().digest
        );
        assert_eq!(
            (result, kind),
            (Err(expected), Some(ErrorKind::Unsupported))
        );
    }
    // A blob may be a page: then it has its length and its digest.
    let (result, _) = fetch(Reply::new(200, BLOB).with("Content-Type", "text/html")).await;
    assert_eq!(result.unwrap(), BLOB);
}

/// Security row Q43: what passes is tried again, what does not is not; exactly so often.
#[tokio::test]
async fn q43_only_what_passes_is_tried_again() {
    let matrix = [
        (408, 3),
        (425, 3),
        (429, 3),
        (499, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (504, 3),
        (522, 3),
        (400, 1),
        (401, 1),
        (402, 1),
        (403, 1),
        (404, 1),
        (405, 1),
        (410, 1),
        (451, 1),
        (501, 1),
        (505, 1),
        (507, 1),
    ];
    for (status, tries) in matrix {
        let server = answering(vec![Reply::new(status, "no\x1b[2J"); 9], BLOB);
        let error = read(&anonymous(&server), &blob()).await.unwrap_err();
        assert_eq!(server.log().len(), tries, "{error}");
        assert_eq!(
            error.kind() == ErrorKind::Unavailable,
            tries == 3,
            "{error}"
        );
        // What the server said, without what would rewrite the screen (row Q46).
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

/// Security row Q43: the same for connections. We speak HTTP/1.1 only, so that there are no
/// GOAWAY and REFUSED_STREAM.
#[tokio::test]
async fn q43_broken_connections_are_tried_again() {
    for (content, tries) in [
        (Content::Nothing, 3),
        (Content::Reset(7, vec![]), 3),
        (Content::Claimed(7, vec![]), 3),
        (Content::CutChunks(b"w".into()), 3),
        // A complete answer with other bytes.
        (Content::Bytes(b"Weights".into()), 1),
        (Content::Bytes(b"weights!".into()), 1),
        (Content::Chunked(b"weight".into()), 1),
    ] {
        let server = answering(vec![Reply::new(200, "").content(content.clone()); 9], BLOB);
        let error = read(&anonymous(&server), &blob()).await.unwrap_err();
        assert_eq!(server.log().len(), tries, "{content:?}: {error}");
        assert_eq!(
            error.kind() == ErrorKind::Unavailable,
            tries == 3,
            "{error}"
        );
    }
    let trouble = vec![
        Reply::new(500, ""),
        Reply::new(200, "").content(Content::Nothing),
    ];
    let server = answering(trouble, BLOB);
    assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
    assert_eq!(server.log().len(), 3);
}

/// Security row Q43: connections that are not made, and TLS that is closed, pass perhaps; a
/// certificate that is not good does not.
#[tokio::test]
async fn q43_connections_that_are_not_made() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = listener.local_addr().unwrap().to_string();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counter = accepted.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let mut secure = options();
    secure.plain_http = Some(false);
    let error = read(&at(secure.clone(), &closing), &blob())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), accepted.load(Ordering::SeqCst)),
        (ErrorKind::Unavailable, 3)
    );

    let tls = Authority::new().server("127.0.0.1");
    let server = Scripted::serve(Honest::default(), |_| None, Some(tls));
    let error = read(&with(secure, &server), &blob()).await.unwrap_err();
    assert_eq!(
        (error.kind(), server.connections()),
        (ErrorKind::Failed, 1),
        "{error}"
    );

    // Nobody listens, and a name that nobody has.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for name in [gone.to_string(), "registry.invalid:5000".to_owned()] {
        let error = read(&at(options(), &name), &blob()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let text = error.to_string();
        assert!(text.contains(&format!("://{name}/v2/m/blobs/")), "{text}");
        assert!(text.contains(" failed: cannot connect: "), "{text}");
        assert!(text.contains(" (3 tries in "), "{text}");
    }
}

/// Yields until something is so. The clock stands still meanwhile.
async fn until(is_so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed().as_secs() < 60, "it does not come");
        tokio::task::yield_now().await;
    }
}

/// Security row Q42: a registry gets the time that it asks for, in both forms, and not less.
#[tokio::test(start_paused = true)]
async fn q42_registry_is_given_the_time_that_it_asks_for() {
    // While such a task runs, the clock does not run ahead by itself.
    let (done, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || held.recv());
    for (name, value) in [
        ("Retry-After", "30"),
        ("Retry-After", "Tue, 24 Nov 2026 06:00:30 GMT"),
    ] {
        let log = Log::default();
        let _listening = log.listen();
        // The clock of the server counts, whatever ours says (row Q47).
        let limited = Reply::new(429, "").with("Date", "Tue, 24 Nov 2026 06:00:00 GMT");
        let server = Arc::new(answering(vec![limited.with(name, value)], BLOB));
        let mut patient = options();
        patient.timeouts.stall = Duration::from_secs(3600);
        let repository = with(patient, &server);
        let reading = tokio::spawn(async move { read(&repository, &blob()).await });
        until(|| log.text().contains("trying again")).await;
        tokio::time::advance(Duration::from_secs(29)).await;
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.log().len(), 1, "{value}");
        tokio::time::advance(Duration::from_secs(2)).await;
        until(|| reading.is_finished()).await;
        assert_eq!(reading.await.unwrap().unwrap(), BLOB);
        assert_eq!(server.log().len(), 2, "{value}");
    }
    done.send(()).unwrap();
    holding.await.unwrap().unwrap();
}

/// Security row Q42: one that asks for hours is not waited for, and its date is told.
#[tokio::test]
async fn q42_registry_that_asks_for_hours_is_told_with_the_date() {
    let six_hours = 6 * 3600;
    for value in ["21600", "Tue, 24 Nov 2026 12:00:00 GMT"] {
        let reply = Reply::new(429, "slow down")
            .with("Date", "Tue, 24 Nov 2026 06:00:00 GMT")
            .with("Retry-After", value);
        let server = answering(vec![reply; 9], BLOB);
        let error = read(&anonymous(&server), &blob()).await.unwrap_err();
        assert_eq!(
            (error.kind(), server.log().len()),
            (ErrorKind::Unavailable, 1)
        );
        let text = message(&error, &[]);
        let (start, date) = text.split_once("; retry after ").unwrap();
        assert!(
            start.ends_with(" failed: rate limited (429): slow down"),
            "{text}"
        );
        let until = httpdate::parse_http_date(date).unwrap();
        let wait = until.duration_since(SystemTime::now()).unwrap().as_secs();
        assert!((six_hours - 600..=six_hours).contains(&wait), "{text}");
    }
    // What is no time at all is no reason to wait.
    for value in ["880\u{b5}s", "-1", "soon", "1.5", ""] {
        let limited = Reply::new(429, "").with("Retry-After", value);
        let server = answering(vec![limited], BLOB);
        assert_eq!(read(&anonymous(&server), &blob()).await.unwrap(), BLOB);
        assert_eq!(server.log().len(), 2);
    }
}
