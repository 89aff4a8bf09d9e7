//! Quotas of the embedded registry: found before a body is sent, and held against many at once.

use std::io::Write;
use std::thread;

use modelctl::oci::Digest;

use crate::support::embedded::Embedded;
use crate::support::http::{Reply, Request, connect};

fn with_quota(quota: Option<u64>, repository_quota: Option<u64>) -> Embedded {
    Embedded::with(|options| {
        options.quota = quota;
        options.repository_quota = repository_quota;
    })
}

fn push(registry: &Embedded, repository: &str, content: &[u8]) -> Reply {
    let digest = Digest::sha256(content);
    let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    let request = Request::new("POST", target).body(content);
    request.send(registry.address)
}

/// Security row Q15: a quota that is used up is told in a sentence of its own, before the body.
#[test]
fn q15_quota_is_checked_before_the_body() {
    let registry = with_quota(Some(1_000_000), None);
    push(&registry, "a", &[1; 600_000]).is(201);
    let digest = Digest::sha256(b"never sent");
    let too_much = Request::new("POST", format!("/v2/b/blobs/uploads/?digest={digest}"))
        .header("Content-Length", "400001")
        .header("Expect", "100-continue");
    let mut stream = connect(registry.address);
    stream.write_all(too_much.head().as_bytes()).unwrap();
    let refused = Reply::read(stream, false).fails(403, "DENIED");
    let text = String::from_utf8(refused.body).unwrap();
    assert!(
        text.contains("the quota of the registry is 1000000 bytes"),
        "{text}"
    );
    assert_eq!(registry.unfinished(), 0);
    push(&registry, "b", &[2; 400_000]).is(201);
    push(&registry, "b", b"x").fails(403, "DENIED");
    let manifest = registry.push_manifest("b", "v1", "{}");
    manifest.fails(400, "MANIFEST_INVALID");
}

#[test]
fn quota_is_found_in_a_body_of_unknown_length_and_the_upload_goes_on() {
    let registry = with_quota(Some(1_000_000), None);
    let location = registry.open_upload("a");
    let chunk = |size: usize| {
        let request =
            Request::new("PATCH", location.as_str()).header("Transfer-Encoding", "chunked");
        let mut body = format!("{size:x}\r\n").into_bytes();
        body.extend(vec![7; size]);
        body.extend(b"\r\n0\r\n\r\n");
        request.body(body).send(registry.address)
    };
    chunk(500_000).is(202);
    chunk(2_000_000).fails(403, "DENIED");
    let status = registry.ask("GET", location.as_str()).is(204);
    let range = status.header("range").unwrap();
    let last: usize = range.strip_prefix("0-").unwrap().parse().unwrap();
    assert!((499_999..1_000_000).contains(&last), "{range}");
    let digest = Digest::sha256(&vec![7; last + 1]);
    let end = Request::new("PUT", format!("{location}?digest={digest}"));
    end.send(registry.address).is(201);
}

#[test]
fn quota_holds_against_uploads_at_the_same_time() {
    let registry = with_quota(Some(10_000_000), None);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let pushes: Vec<_> = (0..8_u8)
            .map(|n| {
                let registry = &registry;
                scope.spawn(move || push(registry, "a", &vec![n; 3_000_000]).status)
            })
            .collect();
        pushes.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let stored = statuses.iter().filter(|status| **status == 201).count();
    assert!((1..=3).contains(&stored), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [201, 403].contains(status)),
        "{statuses:?}"
    );
    // Nothing is left charged: what fits now is taken.
    for n in 0..3 - stored {
        push(&registry, "a", &vec![100 + n as u8; 3_000_000]).is(201);
    }
    push(&registry, "a", &[200; 3_000_000]).is(403);
}

#[test]
fn repositories_have_quotas_of_their_own() {
    let registry = with_quota(None, Some(1000));
    push(&registry, "a", &[1; 800]).is(201);
    let refused = push(&registry, "a", &[2; 300]).fails(403, "DENIED");
    let text = String::from_utf8(refused.body).unwrap();
    assert!(
        text.contains("the quota of repository `a` is 1000 bytes"),
        "{text}"
    );
    push(&registry, "b", &[2; 300]).is(201);
    // What is mounted counts where it is mounted, and what is deleted no longer.
    let digest = Digest::sha256(&[1; 800]);
    let mount = |from: &str, to: &str| {
        let target = format!("/v2/{to}/blobs/uploads/?mount={digest}&from={from}");
        registry.ask("POST", target)
    };
    mount("a", "b").fails(403, "DENIED");
    mount("a", "c").is(201);
    mount("a", "c").is(201);
    push(&registry, "c", &[3; 201]).fails(403, "DENIED");
    push(&registry, "c", &[3; 200]).is(201);
    registry
        .ask("DELETE", format!("/v2/c/blobs/{digest}"))
        .is(202);
    push(&registry, "c", &[4; 800]).is(201);
    // The same again is no more than it was.
    push(&registry, "b", &[2; 300]).is(201);
    push(&registry, "b", &[5; 700]).is(201);
}

#[test]
fn restart_counts_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = Embedded::over(folder.path());
    push(&registry, "a", &[1; 600]).is(201);
    registry.stop().unwrap();
    let registry = Embedded::serve_with(folder.path(), |options| {
        options.quota = Some(1000);
        options.repository_quota = Some(900);
    });
    push(&registry, "b", &[2; 401]).fails(403, "DENIED");
    push(&registry, "a", &[2; 301]).fails(403, "DENIED");
    push(&registry, "a", &[2; 300]).is(201);
}
