//! Upload sessions that registries answer, move and lose in their own ways: security rows Q03 to
//! Q07, Q16 and Q17.

use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::ErrorKind;
use modelctl::store::Storage;

use crate::support::scripted::{Content, Early, Reply, Scripted, Seen};
use crate::support::transport::{anonymous, content, message, steps};

const MIB: u64 = 1024 * 1024;

fn opens_upload(seen: &Seen) -> bool {
    seen.method == "POST" && seen.path().ends_with("/blobs/uploads/")
}

/// Says yes once.
fn once() -> impl Fn() -> bool + Send + Sync + 'static {
    let count = AtomicU32::new(0);
    move || count.fetch_add(1, Ordering::SeqCst) == 0
}

/// Limits bodies to 1 MiB, so that chunks have to be sent.
fn too_large(seen: &Seen) -> Option<Reply> {
    (seen.length > MIB).then(|| Reply::new(413, ""))
}

/// Security row Q03: a PATCH answered with 201 closes the session. It is not needed.
#[tokio::test]
async fn q03_patch_that_closes_the_session_is_not_sent() {
    let server = Scripted::start(|seen| match seen.method.as_str() {
        "PATCH" => Some(Reply::new(201, "")),
        _ => None,
    });
    let (blob, bytes) = content(20 * MIB as usize);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&server), ["POST", "PUT"]);
}

/// Security rows Q03 and Q04: what registries say about the range of a chunk that they accepted is
/// not believed, whether it never counts on or counts from the last chunk.
#[tokio::test]
async fn q03_q04_range_of_an_accepted_chunk_is_not_believed() {
    for range in ["0-524287", "0-0", "524288-1048575", "garbage"] {
        let server = Scripted::start(too_large);
        let (blob, bytes) = content(5 * MIB as usize / 2);
        let repository = anonymous(&server);
        server.contents().uploads.say_range(range);
        repository.push(&blob, &bytes).await.unwrap();
        let sent = steps(&server);
        let tail = [
            "PATCH 0-1048575",
            "PATCH 1048576-2097151",
            "PUT 2097152-2621439",
        ];
        assert_eq!(sent[sent.len() - 3..], tail, "{range}");
        assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
    }
}

/// Security rows Q03 and Q04: after a break, an offset that lies before what the registry has
/// accepted is not gone on from, and the blob is sent anew; never without end.
#[tokio::test]
async fn q03_q04_offset_before_what_was_accepted_is_not_gone_on_from() {
    for range in ["0-524287", "0-0", "garbage", "0-99999999", "524288-1048575"] {
        let breaks = once();
        let server = Scripted::start(move |seen| match seen.header("content-range") {
            Some("1048576-2097151") if breaks() => {
                Some(Reply::new(202, "").content(Content::Nothing))
            }
            _ if seen.method == "GET" => Some(Reply::new(204, "").with("Range", range)),
            _ => too_large(seen),
        });
        let (blob, bytes) = content(5 * MIB as usize / 2);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        let sent = steps(&server);
        let tail = [
            "PATCH 0-1048575",
            "PATCH 1048576-2097151",
            "GET",
            "DELETE",
            "POST",
            "PATCH 0-1048575",
            "PATCH 1048576-2097151",
            "PUT 2097152-2621439",
        ];
        assert_eq!(sent[sent.len() - tail.len()..], tail, "{range}");
        assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
    }
}

/// Security row Q04: a registry that always breaks off and always says the same is given up.
#[tokio::test]
async fn q04_range_that_never_counts_on_does_not_loop() {
    let server = Scripted::interrupting(
        |seen| match seen.method.as_str() {
            "PUT" => Early::Cut(MIB / 4),
            _ => Early::Read,
        },
        |seen| {
            let says = Reply::new(204, "").with("Range", "0-99999");
            (seen.method == "GET").then_some(says)
        },
    );
    let (blob, bytes) = content(2 * MIB as usize);
    let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("(3 tries in "), "{error}");
    let expected = [
        "POST",
        "PUT",
        "GET",
        "PUT 100000-2097151",
        "GET",
        "PUT 100000-2097151",
    ];
    assert_eq!(steps(&server), expected);
}

/// Security row Q04: an offset that was wrong shows in the digest, and the blob is sent once more
/// from its start.
#[tokio::test]
async fn q04_wrong_offset_shows_in_the_digest_and_the_blob_is_sent_anew() {
    let cuts = once();
    let server = Scripted::interrupting(
        move |seen| match seen.method.as_str() {
            "PUT" if cuts() => Early::Cut(MIB),
            _ => Early::Read,
        },
        |seen| match (seen.method.as_str(), seen.header("content-range")) {
            ("GET", _) => Some(Reply::new(204, "").with("Range", "0-99999")),
            ("PUT", Some(_)) => {
                let error = r#"{"errors":[{"code":"DIGEST_INVALID","message":"other"}]}"#;
                Some(Reply::new(400, error))
            }
            _ => None,
        },
    );
    let (blob, bytes) = content(2 * MIB as usize);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let expected = ["POST", "PUT", "GET", "PUT 100000-2097151", "POST", "PUT"];
    assert_eq!(steps(&server), expected);
    assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
}

/// Security row Q05: the blob is never sent with the POST, which some registries only take for the
/// opening of a session.
#[tokio::test]
async fn q05_post_carries_neither_digest_nor_content() {
    let server = Scripted::honest();
    let (blob, bytes) = content(7);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    assert_eq!(
        server.lines(),
        [
            "POST /v2/m/blobs/uploads/".to_owned(),
            format!(
                "PUT /v2/m/blobs/uploads/u0?digest={}",
                blob.digest.to_string().replace(':', "%3A")
            )
        ]
    );
    assert_eq!(server.log()[0].header("content-length"), Some("0"));
}

/// Security rows A20 and Q06: a `Location` is resolved as any URL, and its query is kept.
#[tokio::test]
async fn q06_upload_location_is_understood_in_every_form() {
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
        let (blob, bytes) = content(7);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        let put = &server.log()[1];
        assert!(put.target.starts_with(target), "{location}: {}", put.target);
        assert_eq!(put.query("digest"), Some(blob.digest.to_string()));
        assert_eq!(put.header("content-length"), Some("7"));
        assert_eq!((&put.body, put.header("content-range")), (&bytes, None));
    }
}

/// Security row Q06: the place of an upload may change with every chunk.
#[tokio::test]
async fn q06_newest_location_is_the_one_that_is_used() {
    let count = AtomicU32::new(0);
    let server = Scripted::start(move |seen| {
        let next = format!("/v2/m/next?_state={}", count.fetch_add(1, Ordering::SeqCst));
        match seen.method.as_str() {
            _ if seen.length > MIB => Some(Reply::new(413, "")),
            "POST" | "PATCH" => Some(Reply::new(202, "").with("Location", next)),
            "PUT" => Some(Reply::new(201, "")),
            _ => None,
        }
    });
    let (blob, bytes) = content(5 * MIB as usize / 2);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let log = server.log();
    let states: Vec<_> = log[log.len() - 4..]
        .iter()
        .map(|seen| seen.query("_state"))
        .collect();
    let number = |state: &Option<String>| state.as_ref().unwrap().parse::<u32>().unwrap();
    assert_eq!(states[0], None, "POST");
    assert_eq!(number(&states[2]), number(&states[1]) + 1);
    assert_eq!(number(&states[3]), number(&states[2]) + 1);
}

/// Security row Q07: a success that does not say what was stored is looked after.
#[tokio::test]
async fn q07_any_success_completes_an_upload_that_the_registry_has() {
    for status in [200, 202, 204] {
        let server = Scripted::start(move |seen| match seen.method.as_str() {
            "PUT" => Some(Reply::new(status, "")),
            "HEAD" => Some(Reply::new(200, "")),
            _ => None,
        });
        let (blob, bytes) = content(7);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "PUT", "HEAD"]);
    }
    let created = Scripted::start(|seen| (seen.method == "PUT").then(|| Reply::new(201, "")));
    let (blob, bytes) = content(7);
    anonymous(&created).push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&created), ["POST", "PUT"]);
}

/// Security row Q07: a success after which the blob is not there is none.
#[tokio::test]
async fn q07_success_without_the_blob_is_told() {
    let server = Scripted::start(|seen| (seen.method == "PUT").then(|| Reply::new(202, "")));
    let (blob, bytes) = content(7);
    let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
    let reason = ": the registry answered the upload with 202 and does not have the blob";
    assert!(error.to_string().ends_with(reason), "{error}");

    let other = format!("sha256:{}", "0".repeat(64));
    let lying = Scripted::start(move |seen| {
        let reply = Reply::new(201, "").with("Docker-Content-Digest", &other);
        (seen.method == "PUT").then_some(reply)
    });
    let error = anonymous(&lying).push(&blob, &bytes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
}

/// Security row Q16: a session that the registry has lost is begun again, but not for ever.
#[tokio::test]
async fn q16_lost_session_is_begun_again() {
    for body in ["", r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#] {
        let loses = once();
        let server = Scripted::start(move |seen| {
            (seen.method == "PUT" && loses()).then(|| Reply::new(404, body))
        });
        let (blob, bytes) = content(7);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "PUT", "POST", "PUT"]);
        assert_eq!(server.contents().blobs.len(), 1);
    }
    let server = Scripted::start(|seen| (seen.method == "PUT").then(|| Reply::new(404, "")));
    let (blob, bytes) = content(7);
    let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
    assert!(
        error.to_string().contains("not found (404) (3 tries in "),
        "{error}"
    );
    assert_eq!(steps(&server), ["POST", "PUT"].repeat(3));
}

/// Security row Q16: the same between two chunks.
#[tokio::test]
async fn q16_session_lost_between_chunks_is_begun_again() {
    let loses = once();
    let server = Scripted::start(move |seen| match seen.header("content-range") {
        Some("1048576-2097151") if loses() => Some(Reply::new(
            404,
            r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#,
        )),
        _ => too_large(seen),
    });
    let (blob, bytes) = content(5 * MIB as usize / 2);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let sent = steps(&server);
    let tail = [
        "POST",
        "PATCH 0-1048575",
        "PATCH 1048576-2097151",
        "PUT 2097152-2621439",
    ];
    assert_eq!(sent[sent.len() - 4..], tail);
    assert_eq!(sent[sent.len() - 6..sent.len() - 4], tail[1..3]);
}

/// Security row Q17: an answer that comes before the body was read is what is shown, not the reset
/// that follows it.
#[tokio::test]
async fn q17_early_refusal_is_shown_and_not_the_reset_after_it() {
    let error = r#"{"errors":[{"code":"DENIED","message":"quarantined"}]}"#;
    for status in [401, 403] {
        for _ in 0..8 {
            let server = Scripted::interrupting(
                move |seen| match seen.method.as_str() {
                    "PUT" => Early::Answer(Reply::new(status, error)),
                    _ => Early::Read,
                },
                |_| None,
            );
            let (blob, bytes) = content(8 * MIB as usize);
            let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
            assert!(error.to_string().ends_with("DENIED quarantined"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Denied);
            // If the reset came first, the content is held back the next time.
            let puts = steps(&server).into_iter().filter(|step| step == "PUT");
            assert!(puts.count() <= 2);
        }
    }
}

/// Security row Q17: an early 413 leads to chunks, as a late one does.
#[tokio::test]
async fn q17_early_413_leads_to_chunks() {
    let server = Scripted::interrupting(
        |seen| {
            let length = seen
                .header("content-length")
                .map_or(0, |text| text.parse().unwrap());
            match length > 4 * MIB {
                true => Early::Answer(Reply::new(413, "")),
                false => Early::Read,
            }
        },
        |_| None,
    );
    let (blob, bytes) = content(8 * MIB as usize);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
    let sent = steps(&server);
    assert_eq!(
        sent[sent.len() - 2..],
        ["PATCH 0-4194303", "PUT 4194304-8388607"]
    );
}

/// A final error says what was asked, what happened, how often and how long it was tried.
#[tokio::test]
async fn broken_upload_names_request_and_effort() {
    let server = Scripted::start(|seen| {
        (seen.method == "PUT").then(|| Reply::new(503, "down for maintenance"))
    });
    let (blob, bytes) = content(7);
    let error = anonymous(&server).push(&blob, &bytes).await.unwrap_err();
    let text = message(&error, &[("R", &server)]);
    assert!(
        text.starts_with("`PUT http://R/v2/m/blobs/uploads/u"),
        "{text}"
    );
    assert!(text.contains("503"), "{text}");
    assert!(text.contains("down for maintenance (3 tries in "), "{text}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
