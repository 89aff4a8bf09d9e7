//! Blobs in the embedded registry, where the conformance suite does not look: ranges, other
//! algorithms, deletes beside mounts, a store that rots.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use modelctl::oci::{Algorithm, Digest};

use crate::support::embedded::Embedded;
use crate::support::http::Request;

fn blob(repository: &str, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

#[test]
fn registry_serves_a_blob_whole_and_in_parts() {
    let registry = Embedded::new();
    // Longer than the blocks that a file is read in.
    let content: Vec<u8> = (0..1_500_000_u32).map(|i| (i / 7) as u8).collect();
    let digest = registry.push_blob("a", &content);
    let whole = registry.ask("GET", blob("a", &digest)).is(200);
    assert!(whole.body == content);
    for (name, value) in [
        ("content-length", "1500000"),
        ("content-type", "application/octet-stream"),
        ("accept-ranges", "bytes"),
        ("docker-content-digest", &digest.to_string()),
    ] {
        assert_eq!(whole.header(name), Some(value));
    }
    let head = registry.ask("HEAD", blob("a", &digest)).is(200);
    assert_eq!(head.header("content-length"), Some("1500000"));

    let part = |range: &str| {
        let request = Request::new("GET", blob("a", &digest)).header("Range", range);
        request.send(registry.address)
    };
    let middle = part("bytes=500000-1200000").is(206);
    assert!(middle.body == content[500_000..=1_200_000]);
    assert_eq!(
        middle.header("content-range"),
        Some("bytes 500000-1200000/1500000")
    );
    assert!(part("bytes=-1").is(206).body == content[1_499_999..]);
    let beyond = part("bytes=1500000-").fails(416, "SIZE_INVALID");
    assert_eq!(beyond.header("content-range"), Some("bytes */1500000"));
    // Several ranges, or another unit: the whole is a right answer.
    assert!(part("bytes=0-1,5-6").is(200).body == content);
}

#[test]
fn registry_ignores_a_range_that_is_bound_to_other_content() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"content");
    let bound_to = |tag: String| {
        Request::new("GET", blob("a", &digest))
            .header("Range", "bytes=1-2")
            .header("If-Range", tag)
            .send(registry.address)
    };
    assert_eq!(bound_to(format!("\"{digest}\"")).is(206).body, b"on");
    let other = Digest::sha256(b"other");
    assert_eq!(bound_to(format!("\"{other}\"")).is(200).body, b"content");
}

#[test]
fn registry_answers_a_range_of_an_empty_blob() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"");
    let whole = registry.ask("GET", blob("a", &digest)).is(200);
    assert_eq!(whole.header("content-length"), Some("0"));
    let part = Request::new("GET", blob("a", &digest)).header("Range", "bytes=0-");
    part.send(registry.address).is(416);
}

#[test]
fn registry_keeps_blobs_under_sha512_as_well() {
    let registry = Embedded::new();
    let content = vec![7; 100_000];
    let digest = Digest::of(Algorithm::Sha512, &content);
    // Announced, in the one request, and not before the last one: then it is hashed again.
    let announced = registry.ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512");
    let late = registry.ask("POST", "/v2/c/blobs/uploads/");
    for (repository, opened) in [("a", announced), ("c", late)] {
        let location = opened.is(202).header("location").unwrap().to_owned();
        let (first, second) = content.split_at(60_000);
        let chunk = Request::new("PATCH", location.as_str()).body(first);
        chunk.send(registry.address).is(202);
        let last = Request::new("PUT", format!("{location}?digest={digest}")).body(second);
        last.send(registry.address).is(201);
        assert!(registry.ask("GET", blob(repository, &digest)).is(200).body == content);
    }
    let once = Request::new("POST", format!("/v2/b/blobs/uploads/?digest={digest}"))
        .body(content.as_slice())
        .send(registry.address);
    once.is(201);
    // The same bytes under another algorithm are another blob.
    let other = blob("a", &Digest::sha256(&content));
    registry.ask("GET", other).fails(404, "BLOB_UNKNOWN");
    registry
        .ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=md5")
        .fails(400, "DIGEST_INVALID");
}

/// The four failures of zot in the conformance suite, and their other half.
#[test]
fn registry_deletes_a_mounted_blob_in_one_repository_only() {
    let registry = Embedded::new();
    let digest = registry.push_blob("source", b"shared");
    let mount = |to: &str, from: &str| {
        registry.ask(
            "POST",
            format!("/v2/{to}/blobs/uploads/?mount={digest}{from}"),
        )
    };
    let mounted = mount("target", "&from=source").is(201);
    assert_eq!(
        mounted.header("location"),
        Some(blob("target", &digest).as_str())
    );
    registry.ask("DELETE", blob("source", &digest)).is(202);
    registry.ask("GET", blob("source", &digest)).is(404);
    registry.ask("DELETE", blob("source", &digest)).is(404);
    assert_eq!(
        registry.ask("GET", blob("target", &digest)).is(200).body,
        b"shared"
    );
    // What a repository has no longer cannot be mounted from it: an upload is opened instead.
    mount("third", "&from=source").is(202);
    mount("third", "&from=nowhere").is(202);
    mount("third", "&from=..%2Ftarget").fails(400, "NAME_INVALID");
    mount("third", "").is(201);
}

#[test]
fn registry_shows_a_blob_only_where_it_was_pushed() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a/b", b"mine");
    for other in ["a", "a/b/c", "b"] {
        registry
            .ask("GET", blob(other, &digest))
            .fails(404, "BLOB_UNKNOWN");
    }
}

/// Security row A35: a registry hands out what it has, and clients verify; a push heals it.
#[test]
fn registry_survives_a_rotten_blob_and_a_push_heals_it() {
    let registry = Embedded::new();
    let digest = registry.push_blob("a", b"as it should be");
    let file = registry.content(&digest);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, b"as it").unwrap();
    let rotten = registry.ask("GET", blob("a", &digest)).is(200);
    assert_eq!(rotten.body, b"as it");
    assert_eq!(rotten.header("content-length"), Some("5"));
    registry.push_blob("a", b"as it should be");
    assert_eq!(
        registry.ask("GET", blob("a", &digest)).is(200).body,
        b"as it should be"
    );
    fs::remove_file(&file).unwrap();
    registry
        .ask("GET", blob("a", &digest))
        .fails(404, "BLOB_UNKNOWN");
}
