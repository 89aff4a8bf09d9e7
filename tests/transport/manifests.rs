//! Manifests from registries with habits of their own.

use modelctl::ErrorKind;
use modelctl::oci::{Document, Reference, media_type};
use modelctl::store::{Storage, Tags};

use crate::support::scripted::{Reply, Scripted};
use crate::support::transport::{anonymous, message};

fn manifest() -> Document {
    let digest = modelctl::oci::Digest::sha256(b"layer");
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":"a/b","digest":"{digest}","size":5}},"layers":[]}}"#,
        media_type::MANIFEST
    );
    Document::parse(text.into_bytes(), None).unwrap()
}

fn tagged() -> Reference {
    "m:v1".parse().unwrap()
}

/// Security row Q36: a digest header that is missing, on HEAD only, or beside a weak `ETag`.
#[tokio::test]
async fn q36_missing_digest_header_is_done_without() {
    let document = manifest();
    let raw = document.raw().to_vec();
    for (name, value) in [
        ("X-None", ""),
        ("ETag", "W/\"x\""),
        ("ETag", "\"sha256:0\""),
    ] {
        let raw = raw.clone();
        let server = Scripted::start(move |_| {
            let reply = Reply::new(200, raw.clone()).with("Content-Type", media_type::MANIFEST);
            Some(reply.with(name, value))
        });
        let resolved = anonymous(&server).resolve(&tagged()).await.unwrap();
        assert_eq!(resolved, document);
    }
    // What HEAD says of another digest is not what GET gives.
    let lie = modelctl::oci::Digest::sha256(b"x").to_string();
    let server = Scripted::start(move |seen| {
        let reply = Reply::new(200, raw.clone()).with("Content-Type", media_type::MANIFEST);
        Some(match seen.method.as_str() {
            "HEAD" => reply.with("Docker-Content-Digest", &lie),
            _ => reply,
        })
    });
    let repository = anonymous(&server);
    assert!(repository.exists(&document.descriptor()).await.unwrap());
    assert_eq!(repository.resolve(&tagged()).await.unwrap(), document);
}

/// Security row Q37: a registry that answers HEAD with 404 for what GET gives: the manifest that
/// was pushed is looked for by GET before it counts as lost.
#[tokio::test]
async fn q37_manifest_that_head_does_not_find_is_got() {
    let document = manifest();
    for status in [404, 405, 403] {
        let server = Scripted::start(move |seen| match seen.method.as_str() {
            "HEAD" => Some(Reply::new(status, "")),
            // No digest, so that the client has to look.
            "PUT" => Some(Reply::new(201, "")),
            _ => None,
        });
        server.contents().manifest(&document, "v1");
        let raw = document.raw().to_vec();
        let pushed = anonymous(&server).push(&document.descriptor(), &raw).await;
        pushed.unwrap();
        let resolved = anonymous(&server).resolve(&tagged()).await.unwrap();
        assert_eq!(resolved, document);
    }
    let lost = Scripted::start(|seen| match seen.method.as_str() {
        "PUT" => Some(Reply::new(201, "")),
        _ => Some(Reply::new(404, "")),
    });
    let raw = document.raw().to_vec();
    let error = anonymous(&lost)
        .push(&document.descriptor(), &raw)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let methods: Vec<_> = lost.log().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["PUT", "HEAD", "GET"]);
}

/// Security row Q37: the answer to a HEAD cannot say why; GET is asked for the reason.
#[tokio::test]
async fn q37_reason_of_a_refused_head_is_got() {
    let reason = r#"{"errors":[{"code":"UNAUTHORIZED","message":"the licence is over"}]}"#;
    let server = Scripted::start(move |_| Some(Reply::new(401, reason)));
    let error = anonymous(&server)
        .exists(&manifest().descriptor())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let end = "(401): UNAUTHORIZED the licence is over";
    assert!(error.to_string().ends_with(end), "{error}");
    // Where we may not look, the answer is no.
    for status in [403, 404, 405] {
        let server = Scripted::start(move |_| Some(Reply::new(status, "")));
        assert!(
            !anonymous(&server)
                .exists(&manifest().descriptor())
                .await
                .unwrap()
        );
        assert_eq!(server.log().len(), 1);
    }
}

/// Security row Q38: all media types that are understood, in one header line.
#[tokio::test]
async fn q38_accept_names_every_type_in_one_line() {
    let server = Scripted::honest();
    server.contents().manifest(&manifest(), "v1");
    anonymous(&server).resolve(&tagged()).await.unwrap();
    let log = server.log();
    let accepts: Vec<_> = log[0]
        .headers
        .iter()
        .filter(|(name, _)| name == "accept")
        .map(|(_, value)| value.as_str())
        .collect();
    let [accept] = accepts[..] else {
        panic!("{accepts:?}")
    };
    for name in [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ] {
        assert_eq!(
            accept.split(", ").filter(|entry| *entry == name).count(),
            1,
            "{accept}"
        );
    }
}

/// Security row Q38: a registry that does not have it in any of those types, or gives another.
#[tokio::test]
async fn q38_other_types_are_named() {
    let refusing = Scripted::start(|_| Some(Reply::new(406, "no such representation")));
    let error = anonymous(&refusing).resolve(&tagged()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        message(&error, &[("R", &refusing)]),
        "`GET http://R/v2/m/manifests/v1` failed: the media type is not accepted (406): no such \
         representation"
    );
    let old = r#"{"schemaVersion":1,"name":"m","tag":"v1","fsLayers":[],"history":[]}"#;
    let converting = Scripted::start(move |_| {
        let name = "application/vnd.docker.distribution.manifest.v1+prettyjws";
        Some(Reply::new(200, old).with("Content-Type", name))
    });
    let error = anonymous(&converting).resolve(&tagged()).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Mismatch),
        "{error:?}"
    );
    assert!(error.to_string().starts_with("`GET http://"), "{error}");
}

/// Security row Q44: the page of a captive portal or a login is not a manifest.
#[tokio::test]
async fn q44_login_page_is_not_a_manifest() {
    let page = "<html>log in</html>";
    for content_type in ["text/html", "Text/HTML; charset=utf-8"] {
        let portal = Scripted::start(move |_| {
            Some(Reply::new(200, page).with("Content-Type", content_type))
        });
        let error = anonymous(&portal).resolve(&tagged()).await.unwrap_err();
        assert_eq!(
            message(&error, &[("R", &portal)]),
            "`GET http://R/v2/m/manifests/v1`: the registry answered with a page of type \
             `text/html`, expected application/vnd.oci.image.manifest.v1+json; is it a login page?"
        );
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(portal.log().len(), 1);
    }
    // A login that everybody is sent to.
    let login =
        Scripted::start(move |_| Some(Reply::new(200, page).with("Content-Type", "text/html")));
    let target = format!("{}/signin?to=x", login.url());
    let registry = Scripted::start(move |_| Some(Reply::redirect(302, &target)));
    let error = anonymous(&registry).resolve(&tagged()).await.unwrap_err();
    assert!(error.to_string().contains("is it a login page?"), "{error}");
}
