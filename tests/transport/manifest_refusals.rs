//! Manifests that a registry does not take: security rows Q03, Q14 and Q15. Each reason has a
//! sentence, an exit code and a remedy.

use modelctl::ErrorKind;
use modelctl::store::Tags;

use crate::support::env::{Env, Transcript};
use crate::support::parts::Parts;
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::transport::{anonymous, steps};

fn stores_manifest(seen: &Seen) -> bool {
    seen.method == "PUT" && seen.path().contains("/manifests/")
}

fn stores_tag(seen: &Seen) -> bool {
    stores_manifest(seen) && !seen.path().contains("sha256:")
}

fn error(code: &str, message: &str) -> String {
    serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string()
}

/// Pushes a small model with the binary.
fn push(server: &Scripted) -> Transcript {
    let env = Env::new();
    env.write("model/weights.bin", b"weights");
    env.run(&["push", "./model", &format!("{}/m:v1", server.address)])
}

#[track_caller]
fn refused(transcript: &Transcript, code: i32, sentence: &str, remedy: &str) {
    assert_eq!(transcript.code, Some(code), "{transcript}");
    assert!(transcript.stderr.contains(sentence), "{transcript}");
    assert!(
        transcript.stderr.contains(&format!("hint: {remedy}")),
        "{transcript}"
    );
}

/// Security row Q14: a registry that knows only some media types is told apart, and the message says
/// which it was sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q14_refused_media_types_are_named() {
    let invalid = error("MANIFEST_INVALID", "unknown config media type");
    for (status, body) in [
        (415, String::new()),
        (400, invalid),
        (400, "unsupported media type".to_owned()),
    ] {
        let server = Scripted::start(move |seen| {
            stores_manifest(seen).then(|| Reply::new(status, body.clone()))
        });
        refused(
            &push(&server),
            1,
            "the registry takes no manifest of the media types `application/vnd.oci.image.manifest.v1+json`, \
             `application/vnd.modelctl.model.v1+json`, `application/vnd.cncf.model.config.v1+json`",
            "ask whoever runs the registry to allow these media types",
        );
        let log = server.log();
        let puts = log.iter().filter(|seen| stores_manifest(seen));
        assert_eq!(puts.count(), 1, "it is not tried again");
    }
}

/// Security row Q14: every manifest has a layer and a config, which some registries insist on, and
/// says its media type inside (row Q03).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q14_manifest_has_what_picky_registries_insist_on() {
    let server = Scripted::start(|seen| {
        let manifest: serde_json::Value = match stores_manifest(seen) {
            true => serde_json::from_slice(&seen.body).unwrap(),
            false => return None,
        };
        let inside = manifest["mediaType"].as_str();
        let is_fine = inside.is_some()
            && inside == seen.header("content-type")
            && manifest["config"]["size"].as_u64() > Some(0)
            && manifest["layers"]
                .as_array()
                .is_some_and(|layers| !layers.is_empty());
        (!is_fine).then(|| Reply::new(400, error("MANIFEST_INVALID", "Invalid JSON syntax")))
    });
    push(&server).ok();
}

/// Security row Q15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_manifest_over_the_limit_is_told_with_its_size() {
    let server = Scripted::start(|seen| stores_manifest(seen).then(|| Reply::new(413, "")));
    let transcript = push(&server);
    refused(
        &transcript,
        1,
        "the manifest of ",
        "registries accept manifests of 4 MiB",
    );
    assert!(
        transcript
            .stderr
            .contains(" bytes is larger than what is accepted (413)")
    );
}

/// Security row Q15: registries refuse to move a tag in several ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_immutable_tag_is_told_by_name() {
    let exists = "The image tag 'v1' already exists and cannot be overwritten";
    for (status, body) in [
        (409, String::new()),
        (412, String::new()),
        (400, error("TAG_INVALID", exists)),
        (403, error("DENIED", "tag is immutable")),
    ] {
        let server =
            Scripted::start(move |seen| stores_tag(seen).then(|| Reply::new(status, body.clone())));
        let sentence = "tag `v1` cannot be replaced: the registry keeps it as it is";
        refused(
            &push(&server),
            1,
            sentence,
            "push under another tag, or by digest",
        );
        assert_eq!(
            server.log().iter().filter(|seen| stores_tag(seen)).count(),
            1
        );
    }
}

/// Security row Q15.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_invalid_tag_is_a_wrong_usage() {
    let body = error("TAG_INVALID", "tags must begin with a digit");
    let server =
        Scripted::start(move |seen| stores_tag(seen).then(|| Reply::new(400, body.clone())));
    let sentence = "tag `v1` is not accepted (400): TAG_INVALID tags must begin with a digit";
    refused(&push(&server), 2, sentence, "choose another tag");
}

/// Security row Q15: a full quota is no matter of credentials, whatever its status.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_full_quota_is_told_wherever_it_shows() {
    let denied = error("DENIED", "Quota exceeded when processing the request");
    for (method, status, body) in [
        ("PUT", 403, denied.clone()),
        ("POST", 403, denied),
        ("PUT", 507, String::new()),
    ] {
        let server = Scripted::start(move |seen| {
            (seen.method == method).then(|| Reply::new(status, body.clone()))
        });
        let sentence = format!("no space is left for repository `m` ({status})");
        refused(
            &push(&server),
            1,
            &sentence,
            "remove what is not needed at the registry",
        );
    }
}

/// Security row Q15: read-only registries and repositories.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q15_read_only_registry_is_told() {
    let body = error("UNSUPPORTED", "The operation is unsupported.");
    let server =
        Scripted::start(move |seen| (seen.method == "POST").then(|| Reply::new(405, body.clone())));
    let sentence = "the registry, or this repository, is read-only (405): UNSUPPORTED";
    refused(
        &push(&server),
        1,
        sentence,
        "try again when the registry takes changes",
    );
    assert!(steps(&server).iter().filter(|step| *step == "POST").count() < 8);
}

/// Security row Q15: maintenance is waited for, and told if it does not end. Nothing else is.
#[tokio::test]
async fn q15_maintenance_is_waited_for_and_a_refusal_is_not() {
    for (status, tries, kind) in [
        (503, 3, ErrorKind::Unavailable),
        (500, 3, ErrorKind::Unavailable),
        (409, 1, ErrorKind::Failed),
        (413, 1, ErrorKind::Unsupported),
        (415, 1, ErrorKind::Unsupported),
        (507, 1, ErrorKind::Failed),
    ] {
        let server = Scripted::start(move |seen| {
            stores_tag(seen).then(|| Reply::new(status, "down for maintenance"))
        });
        let repository = anonymous(&server);
        let parts = Parts::new(&[b"x"]);
        parts.push(&repository).await;
        let tagged = repository
            .tag(&parts.root(), &"m:v1".parse().unwrap())
            .await;
        let error = tagged.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        if status == 503 {
            let sentence = "the registry is overloaded or under maintenance (503): down for maintenance (3 tries in ";
            assert!(error.to_string().contains(sentence), "{error}");
        }
        assert_eq!(
            server.log().iter().filter(|seen| stores_tag(seen)).count(),
            tries
        );
    }
}
