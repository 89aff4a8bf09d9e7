//! The embedded registry as an HTTP server: methods, hosts, paths, and clients that mean no good.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::embedded::Embedded;
use crate::support::http::{Reply, Request, connect};

#[test]
fn registry_answers_ping_and_names_allowed_methods() {
    let registry = Embedded::new();
    let ping = registry.ask("GET", "/v2/").is(200);
    assert_eq!(ping.header("content-length"), Some("0"));
    let digest = registry.push_blob("a", b"x");
    for (method, target, allowed) in [
        ("POST", "/v2/".to_owned(), "GET, HEAD"),
        ("PUT", format!("/v2/a/blobs/{digest}"), "GET, HEAD, DELETE"),
        ("GET", "/v2/a/blobs/uploads/".to_owned(), "POST"),
        (
            "POST",
            "/v2/a/manifests/v1".to_owned(),
            "GET, HEAD, PUT, DELETE",
        ),
        ("DELETE", "/v2/a/tags/list".to_owned(), "GET, HEAD"),
        ("OPTIONS", "/v2/a/tags/list".to_owned(), "GET, HEAD"),
        ("BREW", format!("/v2/a/referrers/{digest}"), "GET, HEAD"),
    ] {
        let refused = registry.ask(method, target).fails(405, "UNSUPPORTED");
        assert_eq!(refused.header("allow"), Some(allowed));
    }
    registry.ask("GET", "/").fails(404, "UNSUPPORTED");
    registry.ask("GET", "/v1/").fails(404, "UNSUPPORTED");
}

#[test]
fn head_is_answered_without_a_body() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"some content");
    let mut stream = connect(registry.address);
    for target in [
        format!("/v2/a/blobs/{digest}"),
        "/v2/a/tags/list".to_owned(),
    ] {
        // On one connection: a body would be taken for the next answer.
        write!(stream, "HEAD {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(char::from(byte[0]));
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(!answer.contains("content-length: 0\r\n"), "{answer}");
    }
}

/// Security row A28: DNS rebinding, CVE-2024-28224.
#[test]
fn registry_does_not_answer_to_foreign_host_names() {
    let registry = Embedded::with(|options| options.hosts = vec!["models.example".to_owned()]);
    let ask = |host: &str| {
        let request = Request::new("GET", "/v2/").header("Host", host);
        request.send(registry.address)
    };
    ask("evil.example").fails(421, "DENIED");
    ask("127.0.0.1.evil.example").fails(421, "DENIED");
    for host in ["127.0.0.1:5000", "localhost", "[::1]", "models.example:443"] {
        ask(host).is(200);
    }
}

/// Security rows A01, A02: as they stand on the wire, no client normalises them.
#[test]
fn hostile_paths_are_refused() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"x");
    let long = "x".repeat(3000);
    for target in [
        "/v2/../../etc/passwd".to_owned(),
        "/v2/a/../../../blobs/x".to_owned(),
        format!("/v2/a/b/../blobs/{digest}"),
        format!("/v2/a%2f..%2f/blobs/{digest}"),
        format!("/v2/%61/blobs/{digest}"),
        format!("/v2/a//blobs/{digest}"),
        format!("/v2/A/blobs/{digest}"),
        format!("/v2/_blobs/blobs/{digest}"),
        format!("/v2/a%00/blobs/{digest}"),
        "/v2/a/blobs/sha256:..%2f..%2f..%2findex.json".to_owned(),
        "/v2/a/blobs/sha256:../../../oci-layout".to_owned(),
        format!("/v2/a/blobs/sha512:{}", digest.hex()),
        format!("/v2/a/blobs/SHA256:{}", digest.hex()),
        format!("/v2/a/blobs/sha256:{}", digest.hex().to_uppercase()),
        "/v2/a/manifests/..".to_owned(),
        "/v2/a/manifests/..%2f_manifests".to_owned(),
        format!("/v2/a/manifests/{long}"),
        format!("/v2/{long}/tags/list"),
    ] {
        let reply = registry.ask("GET", target.as_str());
        assert!(
            [400, 404].contains(&reply.status),
            "{target}: {}",
            reply.status
        );
        let text = String::from_utf8(reply.body).unwrap();
        assert!(text.starts_with("{\"errors\":[{\"code\":"), "{text}");
    }
    let endless = registry.ask("GET", format!("/v2/{}/tags/list", "x".repeat(2_000_000)));
    assert!([414, 431].contains(&endless.status), "{}", endless.status);
}

#[test]
fn failures_name_no_local_path() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"x");
    let file = registry.content(&digest);
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let failed = registry.ask("GET", format!("/v2/a/blobs/{digest}"));
    let text = String::from_utf8(failed.is(500).body).unwrap();
    assert!(
        !text.contains(file.parent().unwrap().to_str().unwrap()),
        "{text}"
    );
}

/// Security row A28: slow heads, and answers that nobody takes.
#[test]
fn slow_clients_are_cut_off() {
    let registry = Embedded::with(|options| options.patience = Duration::from_millis(500));
    let digest = registry.push_blob("a", &vec![0; 64 * 1024 * 1024]);
    let begin = Instant::now();
    let mut slow = connect(registry.address);
    slow.write_all(b"GET /v2/ HTTP/1.1\r\nHost:").unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!(begin.elapsed() < Duration::from_secs(10));

    let mut deaf = connect(registry.address);
    write!(
        deaf,
        "GET /v2/a/blobs/{digest} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    thread::sleep(Duration::from_millis(2500));
    let mut received = Vec::new();
    let _ = deaf.read_to_end(&mut received);
    assert!(received.len() < 64 * 1024 * 1024, "it was sent whole");
}

#[test]
fn connections_beyond_the_limit_wait() {
    let registry = Embedded::with(|options| options.connections = 2);
    let held = [connect(registry.address), connect(registry.address)];
    thread::sleep(Duration::from_millis(200));
    let mut third = connect(registry.address);
    third
        .write_all(Request::new("GET", "/v2/").head().as_bytes())
        .unwrap();
    third
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(third.read(&mut [0]).is_err(), "it was answered");
    drop(held);
    third
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    Reply::read(third, false).is(200);
}
