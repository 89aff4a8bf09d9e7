//! Manifests in the embedded registry: what is refused, what a delete takes with it, lists.

use modelctl::oci::{Algorithm, Digest, MAX_MANIFEST_SIZE, media_type};
use serde_json::{Value, json};

use crate::support::embedded::Embedded;
use crate::support::http::{Reply, Request};

/// A manifest of one pushed config, with more members.
fn manifest(registry: &Embedded, repository: &str, more: Value) -> String {
    let config = registry.push_blob(repository, b"{}");
    let mut document = json!({
        "schemaVersion": 2,
        "mediaType": media_type::MANIFEST,
        "config": { "mediaType": "application/vnd.test+json", "digest": config, "size": 2 },
        "layers": [],
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

fn pull(registry: &Embedded, repository: &str, name: impl std::fmt::Display) -> Reply {
    registry.ask("GET", format!("/v2/{repository}/manifests/{name}"))
}

#[test]
fn manifest_is_kept_byte_for_byte() {
    let registry = Embedded::new();
    let raw = manifest(&registry, "a", json!({})).replace(',', " ,\n");
    let digest = Digest::sha256(raw.as_bytes());
    let stored = registry.push_manifest("a", "v1", &raw).is(201);
    let location = format!("/v2/a/manifests/{digest}");
    assert_eq!(stored.header("location"), Some(location.as_str()));
    for name in ["v1".to_owned(), digest.to_string()] {
        let pulled = pull(&registry, "a", &name).is(200);
        assert_eq!(pulled.body, raw.as_bytes());
        assert_eq!(pulled.header("content-type"), Some(media_type::MANIFEST));
        assert_eq!(
            pulled.header("docker-content-digest"),
            Some(digest.to_string().as_str())
        );
        let head = registry
            .ask("HEAD", format!("/v2/a/manifests/{name}"))
            .is(200);
        assert_eq!(
            head.header("content-length"),
            Some(raw.len().to_string().as_str())
        );
    }
    // Only where it was pushed.
    pull(&registry, "b", digest).fails(404, "MANIFEST_UNKNOWN");
    pull(&registry, "a", "v2").fails(404, "MANIFEST_UNKNOWN");
}

/// Security rows A30, A31, A36: what other programs could read in two ways is not kept.
#[test]
fn manifest_that_is_not_clear_is_refused() {
    let registry = Embedded::new();
    let good = manifest(&registry, "a", json!({}));
    let put = |content_type: &str, raw: &str| {
        Request::new("PUT", "/v2/a/manifests/v1")
            .header("Content-Type", content_type)
            .body(raw)
            .send(registry.address)
    };
    for (content_type, raw) in [
        (media_type::MANIFEST, ""),
        (media_type::MANIFEST, "{}"),
        (media_type::MANIFEST, r#"{"schemaVersion":1,"fsLayers":[]}"#),
        (media_type::INDEX, good.as_str()),
        (
            "text/html",
            good.replace(media_type::MANIFEST, "text/html").as_str(),
        ),
        (
            media_type::MANIFEST,
            good.replace("\"layers\":[]", "\"layers\":[],\"manifests\":[]")
                .as_str(),
        ),
        (
            media_type::MANIFEST,
            good.replace("\"layers\":[]", "\"layers\":[],\"layers\":[]")
                .as_str(),
        ),
        (
            media_type::MANIFEST,
            good.replace("sha256:", "sha256:../").as_str(),
        ),
        (media_type::MANIFEST, (good.clone() + "x").as_str()),
        (media_type::MANIFEST, "[".repeat(100_000).as_str()),
    ] {
        put(content_type, raw).fails(400, "MANIFEST_INVALID");
    }
    let other = Digest::sha256(b"other");
    registry
        .push_manifest("a", &other.to_string(), &good)
        .fails(400, "DIGEST_INVALID");
    pull(&registry, "a", "v1").is(404);
    put(
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        &good,
    )
    .is(201);
}

/// Security row A32.
#[test]
fn manifest_is_at_most_four_mebibytes() {
    let registry = Embedded::new();
    let limit = MAX_MANIFEST_SIZE as usize;
    let empty = manifest(&registry, "a", json!({ "annotations": { "x": "" } }));
    let sized = |size: usize| {
        empty.replace(
            "\"x\":\"\"",
            &format!("\"x\":\"{}\"", "x".repeat(size - empty.len())),
        )
    };
    registry.push_manifest("a", "v1", &sized(limit)).is(201);
    assert_eq!(pull(&registry, "a", "v1").is(200).body.len(), limit);
    registry
        .push_manifest("a", "v2", &sized(limit + 1))
        .fails(413, "SIZE_INVALID");
    // Of unknown length, and longer than can be: the answer comes before the end.
    let endless = Request::new("PUT", "/v2/a/manifests/v2")
        .header("Transfer-Encoding", "chunked")
        .body(format!(
            "{:x}\r\n{}\r\n0\r\n\r\n",
            2 * limit,
            "x".repeat(2 * limit)
        ));
    endless.send(registry.address).fails(413, "SIZE_INVALID");
}

#[test]
fn manifest_comes_after_what_it_needs() {
    let registry = Embedded::new();
    let raw = manifest(&registry, "a", json!({}));
    registry
        .push_manifest("b", "v1", &raw)
        .fails(404, "MANIFEST_BLOB_UNKNOWN");
    let digest = Digest::sha256(raw.as_bytes());
    let index = json!({
        "schemaVersion": 2,
        "mediaType": media_type::INDEX,
        "manifests": [{ "mediaType": media_type::MANIFEST, "digest": digest, "size": raw.len() }],
    });
    let index = index.to_string();
    registry
        .push_manifest("a", "all", &index)
        .fails(404, "MANIFEST_BLOB_UNKNOWN");
    registry
        .push_manifest("a", &digest.to_string(), &raw)
        .is(201);
    registry.push_manifest("a", "all", &index).is(201);

    let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    let elsewhere = json!([{ "mediaType": foreign, "digest": Digest::sha256(b"?"), "size": 1 }]);
    let foreign = manifest(&registry, "a", json!({ "layers": elsewhere }));
    registry.push_manifest("a", "foreign", &foreign).is(201);

    let sparse = Embedded::with(|options| options.sparse = true);
    sparse.push_manifest("b", "v1", &raw).is(201);
    sparse.push_manifest("b", "all", &index).is(201);
}

#[test]
fn manifest_takes_its_tags_with_it() {
    let registry = Embedded::new();
    let (one, two) = (
        manifest(&registry, "a", json!({ "annotations": { "n": "1" } })),
        manifest(&registry, "a", json!({ "annotations": { "n": "2" } })),
    );
    for (tag, raw) in [("v1", &one), ("v2", &two), ("latest", &two)] {
        registry.push_manifest("a", tag, raw).is(201);
    }
    let digest = Digest::sha256(two.as_bytes());
    // A tag alone leaves the manifest.
    registry.ask("DELETE", "/v2/a/manifests/latest").is(202);
    registry
        .ask("DELETE", "/v2/a/manifests/latest")
        .fails(404, "MANIFEST_UNKNOWN");
    pull(&registry, "a", digest).is(200);
    registry
        .ask("DELETE", format!("/v2/a/manifests/{digest}"))
        .is(202);
    pull(&registry, "a", "v2").is(404);
    let tags = registry.ask("GET", "/v2/a/tags/list").is(200).json();
    assert_eq!(tags, json!({ "name": "a", "tags": ["v1"] }));
    // Pushed again it comes without the tags it had.
    registry
        .push_manifest("a", &digest.to_string(), &two)
        .is(201);
    pull(&registry, "a", "v2").is(404);
}

#[test]
fn manifest_is_pushed_with_many_tags_and_by_sha512() {
    let registry = Embedded::new();
    let raw = manifest(&registry, "a", json!({}));
    let digest = Digest::of(Algorithm::Sha512, raw.as_bytes());
    let stored = registry.push_manifest("a", &format!("{digest}?tag=1.2&tag=1&tag=latest"), &raw);
    let stored = stored.is(201);
    let accepted: Vec<_> = stored
        .headers
        .iter()
        .filter(|(name, _)| name == "oci-tag")
        .collect();
    assert_eq!(accepted.len(), 3);
    let pulled = pull(&registry, "a", "latest").is(200);
    assert_eq!(
        pulled.header("docker-content-digest"),
        Some(digest.to_string().as_str())
    );
    let many: Vec<String> = (0..101).map(|n| format!("tag=t{n}")).collect();
    let target = format!("{digest}?{}", many.join("&"));
    registry.push_manifest("a", &target, &raw).is(414);
    registry
        .push_manifest("a", &format!("{digest}?tag=..%2fx"), &raw)
        .is(400);
}

#[test]
fn tags_are_listed_in_pages() {
    let registry = Embedded::new();
    registry
        .ask("GET", "/v2/a/tags/list")
        .fails(404, "NAME_UNKNOWN");
    let raw = manifest(&registry, "a", json!({}));
    assert_eq!(
        registry.ask("GET", "/v2/a/tags/list").is(200).json()["tags"],
        json!([])
    );
    for tag in ["b", "A", "c", "a", "_"] {
        registry.push_manifest("a", tag, &raw).is(201);
    }
    let mut target = "/v2/a/tags/list?n=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = registry.ask("GET", target).is(200);
        pages.push(page.json()["tags"].clone());
        let Some(link) = page.header("link") else {
            break;
        };
        let next = link.strip_suffix(">; rel=\"next\"").unwrap();
        target = next.strip_prefix('<').unwrap().to_owned();
    }
    assert_eq!(json!(pages), json!([["A", "_"], ["a", "b"], ["c"]]));
    let none = registry.ask("GET", "/v2/a/tags/list?n=0").is(200);
    assert_eq!(
        (none.json()["tags"].clone(), none.header("link")),
        (json!([]), None)
    );
    registry.ask("GET", "/v2/a/tags/list?n=-1").is(400);
}

#[test]
fn repositories_are_listed_in_pages() {
    let registry = Embedded::new();
    for repository in ["b", "a/b", "a"] {
        registry.push_blob(repository, b"x");
    }
    let all = registry.ask("GET", "/v2/_catalog").is(200).json();
    assert_eq!(all, json!({ "repositories": ["a", "a/b", "b"] }));
    let page = registry.ask("GET", "/v2/_catalog?n=1&last=a").is(200);
    assert_eq!(page.json(), json!({ "repositories": ["a/b"] }));
    let link = page.header("link");
    assert_eq!(link, Some("</v2/_catalog?n=1&last=a/b>; rel=\"next\""));
}

#[test]
fn referrers_are_listed_by_type_and_in_pages() {
    let registry = Embedded::new();
    let subject = json!({ "mediaType": media_type::MANIFEST, "digest": Digest::sha256(b"subject"), "size": 7 });
    // Three of a megabyte each are more than one answer holds.
    let long = "x".repeat(1_000_000);
    for (n, kind) in ["one", "two", "one"].into_iter().enumerate() {
        let raw = manifest(
            &registry,
            "a",
            json!({
                "artifactType": format!("application/vnd.test.{kind}"),
                "subject": subject,
                "annotations": { "n": n.to_string(), "long": long },
            }),
        );
        let stored = registry.push_manifest("a", &Digest::sha256(raw.as_bytes()).to_string(), &raw);
        assert_eq!(
            stored.is(201).header("oci-subject"),
            subject["digest"].as_str()
        );
    }
    let list = |query: &str| {
        let mut target = format!("/v2/a/referrers/{}{query}", Digest::sha256(b"subject"));
        let mut found = Vec::new();
        loop {
            let page = registry.ask("GET", target).is(200);
            assert_eq!(page.header("content-type"), Some(media_type::INDEX));
            assert!(page.body.len() as u64 <= MAX_MANIFEST_SIZE);
            assert_eq!(
                page.header("oci-filters-applied").is_some(),
                !query.is_empty()
            );
            found.extend(page.json()["manifests"].as_array().unwrap().clone());
            let Some(link) = page.header("link") else {
                return found;
            };
            target = link[1..].split_once('>').unwrap().0.to_owned();
        }
    };
    assert_eq!(list("").len(), 3);
    let filtered = list("?artifactType=application%2Fvnd.test.one");
    assert_eq!(filtered.len(), 2);
    assert_eq!(filtered[0]["annotations"]["long"], long);
    assert_eq!(list("?artifactType=other").len(), 0);

    let gone = filtered[0]["digest"].as_str().unwrap();
    registry
        .ask("DELETE", format!("/v2/a/manifests/{gone}"))
        .is(202);
    assert_eq!(list("").len(), 2);
    // Of nothing known there are none, and that is no error.
    let none = registry.ask("GET", format!("/v2/nowhere/referrers/{gone}"));
    assert_eq!(none.is(200).json()["manifests"], json!([]));
    registry
        .ask("GET", "/v2/a/referrers/sha256:x")
        .fails(400, "DIGEST_INVALID");
}
