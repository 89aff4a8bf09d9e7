//! Lists of tags and referrers from registries that have no end to them, or none at all.

use std::time::{Duration, Instant};

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, Digest, Document, Index, Manifest, Reference, media_type};
use modelctl::store::{Referrers, Storage};

use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::transport::{anonymous, message};

fn config() -> Descriptor {
    Descriptor::of(media_type::EMPTY, b"{}")
}

/// A manifest that refers to a subject, which need not exist.
fn referrer(subject: &Descriptor, note: &str) -> Document {
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some("application/x.note".to_owned()),
        config: config(),
        layers: vec![config()],
        subject: Some(subject.clone()),
        annotations: [("note".to_owned(), note.to_owned())].into(),
    })
}

fn subject() -> Descriptor {
    Descriptor::of(media_type::MANIFEST, b"the subject")
}

/// Security row A26.
#[tokio::test]
async fn next_page_is_asked_of_the_same_origin_only() {
    let elsewhere = Scripted::honest();
    let link = format!("<{}/v2/m/tags/list?last=a>; rel=\"next\"", elsewhere.url());
    let server =
        Scripted::start(move |_| Some(Reply::new(200, r#"{"tags":["a"]}"#).with("Link", &link)));
    let error = anonymous(&server).tags().await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &server), ("X", &elsewhere)]),
        "`GET http://R/v2/m/tags/list?n=…`: refusing to follow the next page of a list to \
         `http://X/v2/m/tags/list?last=…`"
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(elsewhere.log().is_empty());
}

/// Security row A26.
#[tokio::test]
async fn list_that_leads_back_to_itself_is_refused() {
    let server = Scripted::start(|seen| {
        let next = if seen.target.ends_with("last=a") {
            "b"
        } else {
            "a"
        };
        let link = format!("</v2/m/tags/list?last={next}>; rel=\"next\"");
        Some(Reply::new(200, r#"{"tags":["a"]}"#).with("Link", link))
    });
    let error = anonymous(&server).tags().await.unwrap_err();
    assert!(
        error.to_string().contains("sent in a circle, back to"),
        "{error}"
    );
    assert_eq!(server.log().len(), 3);
}

/// Security row A26.
#[tokio::test]
async fn list_without_end_is_given_up() {
    let server = Scripted::start(|seen| {
        let page: u64 = seen.query("page").map_or(0, |page| page.parse().unwrap());
        let link = format!("<?page={}>; rel=\"next\"", page + 1);
        Some(Reply::new(200, r#"{"tags":[]}"#).with("Link", link))
    });
    let started = Instant::now();
    let error = anonymous(&server).tags().await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(": the registry returned more than 1000 pages"),
        "{error}"
    );
    // A third of a second where nothing else runs.
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// Security row A26: the same for referrers, which are asked for before anything is copied.
#[tokio::test]
async fn referrers_without_end_or_from_elsewhere_are_given_up() {
    let elsewhere = Scripted::honest();
    let away = format!("<{}/v2/x>; rel=\"next\"", elsewhere.url());
    let empty = Document::from_index(Index::new(vec![]));
    for (link, end) in [
        (
            Some(away),
            ": refusing to follow the next page of a list to `http://X/v2/x`",
        ),
        (None, ": the registry returned more than 1000 pages"),
    ] {
        let page = Reply::new(200, empty.raw()).with("Content-Type", media_type::INDEX);
        let server = Scripted::start(move |seen| {
            let number: u64 = seen.query("page").map_or(0, |page| page.parse().unwrap());
            let next = format!("<?page={}>; rel=\"next\"", number + 1);
            Some(page.clone().with("Link", link.clone().unwrap_or(next)))
        });
        let error = anonymous(&server).referrers(&subject().digest).await;
        let error = error.unwrap_err();
        let text = message(&error, &[("R", &server), ("X", &elsewhere)]);
        assert!(text.ends_with(end), "{text}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert!(elsewhere.log().is_empty());
}

/// Security row A32: a page has a limit, and so have all pages of a list together.
#[tokio::test]
async fn lists_are_read_to_a_limit() {
    let sending = |content: Content| {
        Scripted::start(move |seen| {
            let number: u64 = seen.query("page").map_or(0, |page| page.parse().unwrap());
            let next = format!("<?page={}>; rel=\"next\"", number + 1);
            let reply = Reply::new(200, "").content(content.clone());
            let reply = reply.with("Content-Type", media_type::INDEX);
            Some(reply.with("Link", next))
        })
    };
    for (content, limit) in [
        (Content::Endless, 4_194_304),
        (Content::Claimed(1 << 40, b"{}".into()), 4_194_304),
        (Content::Bytes(empty_index_with_room(3 << 20)), 67_108_864),
    ] {
        let server = sending(content);
        let repository = anonymous(&server);
        let tags = repository.tags().await.unwrap_err();
        let referrers = repository.referrers(&subject().digest).await.unwrap_err();
        for (error, what) in [(tags, "tags"), (referrers, "referrers")] {
            let end = format!(": the registry sent a list of {what} larger than {limit} bytes");
            assert!(error.to_string().ends_with(&end), "{error}");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
}

/// An index of nothing, and a list of no tags, with as many spaces.
fn empty_index_with_room(spaces: usize) -> Vec<u8> {
    let room = " ".repeat(spaces);
    format!(r#"{{"schemaVersion":2,{room}"manifests":[],"tags":[]}}"#).into_bytes()
}

/// Security row Q40: `Link` leads from page to page.
#[tokio::test]
async fn q40_pages_are_put_together() {
    let server = Scripted::start(|seen| {
        Some(match seen.query("last") {
            None => Reply::new(200, r#"{"tags":["a","b"]}"#)
                .with("Link", "</v2/m/tags/list?n=2&last=b>; rel=\"next\""),
            Some(_) => Reply::new(200, r#"{"tags":["c"]}"#),
        })
    });
    let tags = anonymous(&server).tags().await.unwrap();
    assert_eq!(
        tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert!(server.log()[0].query("n").is_some());
}

/// Security row Q40: a registry that ignores `n` and sends everything at once, in every form of
/// `Link` that leads nowhere.
#[tokio::test]
async fn q40_list_that_ignores_the_length_of_a_page_is_complete() {
    let many: Vec<_> = (0..3000).map(|n| format!("v{n}")).collect();
    let body = serde_json::json!({ "name": "m", "tags": many }).to_string();
    for link in [
        "",
        "<>; rel=\"prev\"",
        "</v2/m/tags/list?last=x>",
        "rel=next",
    ] {
        let body = body.clone();
        let server =
            Scripted::start(move |_| Some(Reply::new(200, body.clone()).with("Link", link)));
        assert_eq!(
            anonymous(&server).tags().await.unwrap().len(),
            3000,
            "{link}"
        );
        assert_eq!(server.log().len(), 1);
    }
}

/// Security row Q40.
#[tokio::test]
async fn q40_odd_lists_of_tags_are_tolerated() {
    let digest = Digest::sha256(b"");
    for (body, expected) in [
        (r#"{"name":"m","tags":null}"#.to_owned(), vec![]),
        (r#"{"name":"m"}"#.to_owned(), vec![]),
        (
            format!(r#"{{"tags":["a",null,"{digest}","../x","b"]}}"#),
            vec!["a", "b"],
        ),
    ] {
        let server = Scripted::start(move |_| Some(Reply::new(200, body.clone())));
        let tags = anonymous(&server).tags().await.unwrap();
        assert_eq!(
            tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
            expected
        );
    }
    let server = Scripted::start(|_| Some(Reply::new(200, "<html>")));
    let error = anonymous(&server).tags().await.unwrap_err();
    let start = "`GET http://R/v2/m/tags/list?n=…`: the registry sent a malformed list of tags: ";
    assert!(
        message(&error, &[("R", &server)]).starts_with(start),
        "{error}"
    );
}

async fn push(server: &Scripted, document: &Document) {
    let pushed = anonymous(server)
        .push(&document.descriptor(), &document.raw().to_vec())
        .await;
    pushed.unwrap();
}

async fn notes(server: &Scripted) -> Vec<String> {
    let listed = anonymous(server)
        .referrers(&subject().digest)
        .await
        .unwrap();
    let mut notes: Vec<_> = listed
        .iter()
        .map(|entry| entry.annotations["note"].clone())
        .collect();
    notes.sort();
    notes
}

/// Security row Q39.
#[tokio::test]
async fn q39_referrers_are_kept_under_the_tag_where_the_registry_keeps_no_list() {
    let server = Scripted::honest();
    let (first, second) = (
        referrer(&subject(), "first"),
        referrer(&subject(), "second"),
    );
    for document in [&first, &second, &first] {
        push(&server, document).await;
    }
    let listed = anonymous(&server)
        .referrers(&subject().digest)
        .await
        .unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].digest, first.digest());
    assert_eq!(
        listed[0].artifact_type.as_deref(),
        Some("application/x.note")
    );
    assert_eq!(listed[0].annotations["note"], "first");
    let tag = format!("sha256-{}", subject().digest.hex());
    assert!(server.contents().manifests.contains_key(&tag));

    let pinned: Reference = format!("m@{}", first.digest()).parse().unwrap();
    anonymous(&server).delete(&pinned).await.unwrap();
    assert_eq!(notes(&server).await, ["second"]);
}

#[tokio::test]
async fn referrers_are_the_registrys_where_it_keeps_a_list() {
    let server = Scripted::honest();
    server.contents().has_referrers = true;
    push(&server, &referrer(&subject(), "first")).await;
    assert_eq!(notes(&server).await, ["first"]);
    let tags = server
        .lines()
        .into_iter()
        .filter(|line| line.contains("manifests/sha256-"));
    assert_eq!(tags.count(), 0);
}

/// Security row Q39: several clients that sign at once lose no signature.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q39_referrers_of_concurrent_clients_all_remain() {
    let server = Scripted::honest();
    let documents: Vec<_> = (0..5)
        .map(|n| referrer(&subject(), &n.to_string()))
        .collect();
    // Each has a client of its own, so that no lock of ours helps.
    futures_util::future::join_all(documents.iter().map(|document| push(&server, document))).await;
    assert_eq!(notes(&server).await, ["0", "1", "2", "3", "4"]);
}

/// Security row Q39.
#[tokio::test]
async fn q39_odd_answers_for_referrers_lead_to_the_tag() {
    let listed = referrer(&subject(), "tagged").descriptor();
    let index = Document::from_index(Index::new(vec![listed.clone()]));
    let tag = format!("sha256-{}", subject().digest.hex());
    for reply in [
        Reply::new(404, ""),
        Reply::new(400, ""),
        Reply::new(405, ""),
        Reply::new(200, "<html>").with("Content-Type", "text/html"),
        Reply::new(200, "{}"),
        Reply::new(200, index.raw()).with("Content-Type", "text/html"),
    ] {
        let server =
            Scripted::start(move |seen| seen.target.contains("/referrers/").then(|| reply.clone()));
        server.contents().manifest(&index, &tag);
        let found = anonymous(&server)
            .referrers(&subject().digest)
            .await
            .unwrap();
        assert_eq!(found, std::slice::from_ref(&listed));
    }
}

#[tokio::test]
async fn tag_that_is_no_list_of_referrers_is_left_alone() {
    let server = Scripted::honest();
    let tag = format!("sha256-{}", subject().digest.hex());
    server
        .contents()
        .manifest(&referrer(&subject(), "an image"), &tag);
    assert!(
        anonymous(&server)
            .referrers(&subject().digest)
            .await
            .unwrap()
            .is_empty()
    );
    let document = referrer(&subject(), "new");
    let pushed = anonymous(&server)
        .push(&document.descriptor(), &document.raw().to_vec())
        .await;
    let error = pushed.unwrap_err();
    let end = format!(": expected an index, got `{}`", media_type::MANIFEST);
    assert!(error.to_string().ends_with(&end), "{error}");
}

#[tokio::test]
async fn delete_says_what_the_registry_does_not_do() {
    let server = Scripted::start(|seen| (seen.method == "DELETE").then(|| Reply::new(405, "")));
    server.contents().manifest(&referrer(&subject(), ""), "v1");
    let tag: Reference = "m:v1".parse().unwrap();
    let error = anonymous(&server).delete(&tag).await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &server)]),
        "the registry does not remove tag `v1` alone: `DELETE http://R/v2/m/manifests/v1` failed: \
         not allowed by this registry, or it is read-only (405)"
    );
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let absent: Reference = format!("m@{}", Digest::sha256(b"absent")).parse().unwrap();
    let error = anonymous(&server).delete(&absent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
