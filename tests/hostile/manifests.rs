//! Manifests from registries that lie about them.

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, Digest, Document, MAX_MANIFEST_SIZE, Reference, media_type};
use modelctl::store::{Referrers, Storage, Tags};

use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::transport::{anonymous, message, read};

const DIGEST_HEADER: &str = "Docker-Content-Digest";

/// A manifest of one layer, with an annotation to make it longer or different.
fn manifest(note: &str) -> Document {
    let digest = Digest::sha256(b"layer");
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"a/b","digest":"{digest}","size":5}},"layers":[{{"mediaType":"a/b","digest":"{digest}","size":5}}],"annotations":{{"note":"{note}"}}}}"#,
        media_type::MANIFEST
    );
    Document::parse(text.into_bytes(), None).unwrap()
}

fn tagged(tag: &str) -> Reference {
    format!("m:{tag}").parse().unwrap()
}

fn pinned(digest: Digest) -> Reference {
    tagged("v1").with_digest(digest)
}

fn serving(reply: Reply) -> Scripted {
    Scripted::start(move |_| Some(reply.clone()))
}

/// What comes of a manifest that is pulled by tag.
async fn by_tag(reply: Reply) -> Result<Document, String> {
    let server = serving(reply);
    let resolved = anonymous(&server).resolve(&tagged("v1")).await;
    resolved.map_err(|error| {
        assert_ne!(error.kind(), ErrorKind::Unavailable);
        message(&error, &[("R", &server)])
    })
}

/// Security row A31.
#[tokio::test]
async fn manifest_is_compared_with_the_digest_that_was_asked_for() {
    let (wanted, other) = (manifest("a"), manifest("b"));
    let (expected, actual) = (wanted.digest(), other.digest());
    let server = serving(Reply::new(200, other.raw()).with("Content-Type", media_type::MANIFEST));
    let repository = anonymous(&server);
    let error = repository.resolve(&pinned(expected)).await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &server)]),
        format!(
            "`GET http://R/v2/m/manifests/{expected}`: digest mismatch: expected `{expected}`, \
             got `{actual}`"
        )
    );
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    // The same by descriptor, which is how a copy reads it.
    let error = read(&repository, &wanted.descriptor()).await.unwrap_err();
    assert!(error.to_string().contains("digest mismatch"), "{error}");
}

/// Security row A31.
#[tokio::test]
async fn announced_digest_is_compared_where_it_says_something() {
    let document = manifest("");
    let sha512 = |bytes: &[u8]| Digest::of(modelctl::oci::Algorithm::Sha512, bytes).to_string();
    let answer = || Reply::new(200, document.raw()).with("Content-Type", media_type::MANIFEST);
    for announced in [
        document.digest().to_string(),
        sha512(document.raw()),
        "odd".to_owned(),
    ] {
        let reply = answer().with(DIGEST_HEADER, &announced);
        assert_eq!(by_tag(reply).await.as_ref(), Ok(&document), "{announced}");
    }
    assert_eq!(by_tag(answer()).await.as_ref(), Ok(&document));
    for lie in [Digest::sha256(b"x").to_string(), sha512(b"x")] {
        let error = by_tag(answer().with(DIGEST_HEADER, &lie))
            .await
            .unwrap_err();
        let start = format!(
            "`GET http://R/v2/m/manifests/v1`: the registry announced `{lie}` and sent `sha"
        );
        assert!(error.starts_with(&start), "{error}");
    }
}

/// Security row A32.
#[tokio::test]
async fn manifests_are_read_to_four_mebibytes() {
    let limit = MAX_MANIFEST_SIZE as usize;
    let empty = manifest("").raw().len();
    let largest = manifest(&"x".repeat(limit - empty));
    assert_eq!(largest.raw().len(), limit);
    let typed = |reply: Reply| reply.with("Content-Type", media_type::MANIFEST);
    assert!(by_tag(typed(Reply::new(200, largest.raw()))).await.is_ok());
    let too_large = "`GET http://R/v2/m/manifests/v1`: the registry sent a manifest larger than \
                     4194304 bytes";
    for content in [
        Content::Bytes(vec![b' '; limit + 1]),
        Content::Chunked(vec![b' '; limit + 1]),
        Content::Claimed(1 << 40, b"{}".into()),
        Content::Endless,
    ] {
        let reply = typed(Reply::new(200, "").content(content));
        assert_eq!(by_tag(reply).await, Err(too_large.to_owned()));
    }
}

/// Security row A30: what the bytes are is said in two places, and they must agree.
#[tokio::test]
async fn manifest_and_content_type_must_agree() {
    let document = manifest("");
    let typed =
        |content_type: &str| Reply::new(200, document.raw()).with("Content-Type", content_type);
    for content_type in [
        media_type::MANIFEST,
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
        "application/json",
        "application/octet-stream",
    ] {
        assert_eq!(
            by_tag(typed(content_type)).await.as_ref(),
            Ok(&document),
            "{content_type}"
        );
    }
    let start = "`GET http://R/v2/m/manifests/v1`: manifest calls itself";
    let error = by_tag(typed(media_type::INDEX)).await.unwrap_err();
    assert!(error.starts_with(start), "{error}");
    let both = r#"{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}"#;
    assert_eq!(
        by_tag(Reply::new(200, both)).await,
        Err(
            "`GET http://R/v2/m/manifests/v1`: document can be read as a manifest and as an index"
                .to_owned()
        )
    );
}

/// Security rows A01 and A02: a digest that is none never becomes a URL.
#[tokio::test]
async fn hostile_digests_reach_no_url() {
    let good = Digest::sha256(b"").to_string();
    let hex = &good[7..];
    for hostile in [
        "sha256:../../../../tmp/pwn".to_owned(),
        "sha256:aa/../../../other/manifests/latest".to_owned(),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}0"),
        format!("SHA256:{hex}"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256-{hex}"),
        "md5:d41d8cd98f00b204e9800998ecf8427e".to_owned(),
        "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned(),
        String::new(),
        "sha256:".to_owned(),
        format!("sha256:{}\\u0000", &hex[1..]),
        format!("sha256:{}", "\u{ff11}".repeat(64)),
        format!("sha512:{hex}"),
    ] {
        for slot in ["config", "layer", "subject"] {
            let at = |name| {
                if name == slot {
                    hostile.as_str()
                } else {
                    good.as_str()
                }
            };
            let entry = |name| format!(r#"{{"mediaType":"a/b","digest":"{}","size":1}}"#, at(name));
            let text = format!(
                r#"{{"schemaVersion":2,"config":{},"layers":[{}],"subject":{}}}"#,
                entry("config"),
                entry("layer"),
                entry("subject")
            );
            let server = serving(Reply::new(200, text));
            let error = anonymous(&server).resolve(&tagged("v1")).await.unwrap_err();
            assert!(error.to_string().contains("invalid digest"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Mismatch);
            assert_eq!(server.lines(), ["GET /v2/m/manifests/v1"]);
        }
    }
}

/// Security row A01: the same in what an index lists, and in a list of referrers.
#[tokio::test]
async fn hostile_digests_in_lists_reach_no_url() {
    let hostile = "sha256:../../../other/manifests/latest";
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{hostile}","size":1}}]}}"#,
        media_type::INDEX,
        media_type::MANIFEST
    );
    let reply = Reply::new(200, text).with("Content-Type", media_type::INDEX);
    let error = by_tag(reply.clone()).await.unwrap_err();
    let start = format!(
        "`GET http://R/v2/m/manifests/v1`: manifest is not valid JSON: invalid digest \"{hostile}\""
    );
    assert!(error.starts_with(&start), "{error}");

    let server = Scripted::start(move |seen| {
        let is_list = seen.target.contains("/referrers/");
        is_list.then(|| reply.clone())
    });
    let subject = manifest("").digest();
    let error = anonymous(&server).referrers(&subject).await.unwrap_err();
    assert!(error.to_string().contains("invalid digest"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(!server.text().contains("other"));
}

/// Security row A36.
#[tokio::test]
async fn json_traps_are_named() {
    let digest = Digest::sha256(b"");
    let layer = |size: &str| {
        format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"a/b","digest":"{digest}","size":{size}}},"layers":[]}}"#
        )
    };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for text in [
        layer("-1"),
        layer("1.5"),
        layer("1e3"),
        layer("null"),
        layer("\"7\""),
        layer("18446744073709551616"),
        layer("1").replace("[]", "null"),
        layer("1").replace("\"layers\"", "\"config\""),
        format!("\u{feff}{}", layer("1")),
        format!("{} x", layer("1")),
        layer("1").replace("a/b", "\\ud800"),
        deep,
        String::new(),
    ] {
        let error = by_tag(Reply::new(200, text.clone())).await.unwrap_err();
        let start = "`GET http://R/v2/m/manifests/v1`: manifest is not valid JSON: ";
        assert!(error.starts_with(start), "{text:.60}: {error}");
    }
}

/// Security row A38.
#[tokio::test]
async fn manifest_that_the_registry_changed_is_noticed() {
    let document = manifest("");
    let (descriptor, digest) = (document.descriptor(), document.digest());
    let other = Digest::sha256(b"converted").to_string();
    let stored = "`PUT http://R/v2/m/manifests/{digest}`: registry stored a different manifest: \
                  expected `{digest}`, got ";
    let stored = stored.replace("{digest}", &digest.to_string());
    for (announced, expected) in [
        (Some(other.clone()), format!("{stored}`{other}`")),
        (Some("odd".to_owned()), format!("{stored}`odd`")),
        (None, format!("{stored}`nothing under that digest`")),
    ] {
        let server = Scripted::start(move |seen| {
            let reply = Reply::new(201, "");
            (seen.method == "PUT").then(|| match &announced {
                Some(announced) => reply.with(DIGEST_HEADER, announced),
                None => reply,
            })
        });
        let pushed = anonymous(&server)
            .push(&descriptor, &document.raw().to_vec())
            .await;
        let error = pushed.unwrap_err();
        assert_eq!(message(&error, &[("R", &server)]), expected);
        assert_eq!(error.kind(), ErrorKind::Mismatch);
    }
}

/// Security row A34: what a tag led to is fixed when it is resolved.
#[tokio::test]
async fn tag_that_moves_changes_nothing_that_was_resolved() {
    let (before, after) = (manifest("before"), manifest("after"));
    let server = Scripted::honest();
    server.contents().manifest(&before, "v1");
    let repository = anonymous(&server);
    let resolved = repository.resolve(&tagged("v1")).await.unwrap();
    server.contents().manifest(&after, "v1");
    let fetched = read(&repository, &resolved.descriptor()).await.unwrap();
    assert_eq!(fetched, before.raw());
}

/// Security rows A25 and A37: content in a descriptor, and where else it might be, is not used.
#[tokio::test]
async fn foreign_urls_and_embedded_data_are_ignored() {
    let elsewhere = Scripted::honest();
    let digest = Digest::sha256(b"layer");
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"a/b","digest":"{digest}","size":5,"data":"ZXZpbCE="}},"layers":[{{"mediaType":"a/b","digest":"{digest}","size":5,"urls":["{}/x"]}}]}}"#,
        elsewhere.url()
    );
    let document = Document::parse(text.into_bytes(), None).unwrap();
    let server = Scripted::honest();
    server.contents().manifest(&document, "v1");
    let repository = anonymous(&server);
    let resolved = repository.resolve(&tagged("v1")).await.unwrap();
    let layer: Descriptor = resolved.manifest().unwrap().layers[0].clone();
    let error = read(&repository, &layer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    server.contents().blob(b"layer");
    assert_eq!(read(&repository, &layer).await.unwrap(), b"layer");
    assert!(elsewhere.log().is_empty());
}
