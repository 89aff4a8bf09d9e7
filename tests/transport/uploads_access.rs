//! Uploads by who may or may not: security rows Q09 to Q12.

use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::ErrorKind;
use modelctl::store::Storage;

use crate::support::parts::Parts;
use crate::support::scripted::{Reply, Scripted, Seen};
use crate::support::tokens::{guarded, numbering, user};
use crate::support::transport::{anonymous, content, message, steps, with};

const MIB: u64 = 1024 * 1024;

/// A registry whose tokens are good for two requests each.
fn short_tokens(realm: &str) -> Scripted {
    let uses = AtomicU32::new(0);
    guarded(realm, move |_, sent| {
        let Some(number) = sent.strip_prefix("Bearer T") else {
            return false;
        };
        let used = uses.load(Ordering::SeqCst);
        let is_good = number.parse::<u32>().unwrap() == used / 2 + 1;
        uses.fetch_add(u32::from(is_good), Ordering::SeqCst);
        is_good
    })
}

/// Security row Q09: a token that ends in the middle is renewed once for each request that meets its
/// end, in mid-PATCH, at the last PUT and at the manifest, and the content sent again.
#[tokio::test]
async fn q09_token_that_ends_in_the_middle_of_chunks_is_renewed() {
    let tokens = numbering();
    let uses = AtomicU32::new(0);
    let registry = Scripted::start({
        let realm = tokens.url();
        move |seen| {
            if seen.length > MIB {
                return Some(Reply::new(413, ""));
            }
            let sent = seen.header("authorization").unwrap_or_default();
            let number = sent
                .strip_prefix("Bearer T")
                .map(|n| n.parse::<u32>().unwrap());
            let is_good = number == Some(uses.load(Ordering::SeqCst) / 2 + 1);
            uses.fetch_add(u32::from(is_good), Ordering::SeqCst);
            let challenge = format!("Bearer realm=\"{realm}\",scope=\"repository:m:pull\"");
            (!is_good).then(|| Reply::new(401, "").with("WWW-Authenticate", challenge))
        }
    });
    let (blob, bytes) = content(11 * MIB as usize / 2);
    let repository = with(user(&registry), &registry);
    repository.push(&blob, &bytes).await.unwrap();
    assert!(registry.contents().blobs[&blob.digest.to_string()] == bytes);
    assert!(tokens.log().len() >= 4, "{}", tokens.log().len());
    // Each body that met the end of its token was sent twice, and no other.
    let sent = steps(&registry);
    let repeated = sent.windows(2).filter(|pair| pair[0] == pair[1]);
    assert!(repeated.count() >= 3, "{sent:?}");
}

/// Security row Q09: the same at the only PUT, and at the manifest.
#[tokio::test]
async fn q09_token_that_ends_before_the_put_is_renewed() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |seen, sent| match seen.method.as_str() {
        "PUT" => sent == "Bearer T2",
        _ => sent.starts_with("Bearer T"),
    });
    let (blob, bytes) = content(7);
    let repository = with(user(&registry), &registry);
    repository.push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&registry), ["POST", "POST", "PUT", "PUT"]);
    assert_eq!(tokens.log().len(), 2);

    let tokens = numbering();
    let registry = short_tokens(&tokens.url());
    let repository = with(user(&registry), &registry);
    let document = Parts::new(&[&bytes]).document();
    let raw = document.raw().to_vec();
    repository.push(&blob, &bytes).await.unwrap();
    repository.push(&document.descriptor(), &raw).await.unwrap();
    assert_eq!(tokens.log().len(), 2);
    assert_eq!(steps(&registry), ["POST", "POST", "PUT", "PUT", "PUT"]);
}

/// Security row Q09: a second refusal of a new token is final, and says who is refused.
#[tokio::test]
async fn q09_second_refusal_is_final() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |seen, sent| {
        seen.method != "PUT" && sent.starts_with("Bearer T")
    });
    let (blob, bytes) = content(7);
    let repository = with(user(&registry), &registry);
    let error = repository.push(&blob, &bytes).await.unwrap_err();
    let text = message(&error, &[("R", &registry)]);
    let reason = "failed: the credentials of user `u` were not accepted (401)";
    assert!(text.contains(reason), "{text}");
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(steps(&registry), ["POST", "POST", "PUT", "PUT"]);
    assert_eq!(tokens.log().len(), 2);
}

/// Security row Q10: a token that is not good enough is asked for once more; who may not push is
/// told so, with the repository and the user.
#[tokio::test]
async fn q10_who_may_not_push_is_told_by_name() {
    let registry = Scripted::start(|seen| match seen.header("authorization") {
        None => Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\"")),
        Some(_) => Some(Reply::new(
            403,
            r#"{"errors":[{"code":"DENIED","message":"no"}]}"#,
        )),
    });
    let (blob, bytes) = content(7);
    let repository = with(user(&registry), &registry);
    let error = repository.push(&blob, &bytes).await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &registry)]),
        "`POST http://R/v2/m/blobs/uploads/` failed: no push access to repository `m` as user `u` (403): DENIED no"
    );
    assert_eq!(error.kind(), ErrorKind::Denied);

    let closed = Scripted::start(|_| Some(Reply::new(403, "")));
    let error = anonymous(&closed).push(&blob, &bytes).await.unwrap_err();
    assert_eq!(
        message(&error, &[("R", &closed)]),
        "`POST http://R/v2/m/blobs/uploads/` failed: no push access to repository `m` without a login (403)"
    );
    let error = anonymous(&closed).fetch(&blob).await.err().unwrap();
    let reason = "failed: no pull access to repository `m` without a login (403)";
    assert!(error.to_string().ends_with(reason), "{error}");
}

/// Security row Q10.
#[tokio::test]
async fn q10_insufficient_scope_is_asked_for_once() {
    let tokens = numbering();
    let realm = tokens.url();
    let registry = Scripted::start(move |seen| {
        let (error, scope) = match seen.header("authorization") {
            Some("Bearer T2") => return None,
            Some(_) => (",error=\"insufficient_scope\"", "repository:m:push"),
            None => ("", "repository:m:pull"),
        };
        let challenge = format!("Bearer realm=\"{realm}\",scope=\"{scope}\"{error}");
        Some(Reply::new(401, "").with("WWW-Authenticate", challenge))
    });
    let (blob, bytes) = content(7);
    let repository = with(user(&registry), &registry);
    repository.push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&registry), ["POST", "POST", "POST", "PUT"]);
    assert_eq!(tokens.log().len(), 2);
}

fn mounts(seen: &Seen) -> bool {
    seen.query("mount").is_some()
}

/// Security row Q11: a mount that was made needs no upload.
#[tokio::test]
async fn q11_mounted_blob_is_not_sent() {
    let server = Scripted::honest();
    let (blob, bytes) = content(7);
    server.contents().blob(&bytes);
    let repository = anonymous(&server);
    assert!(repository.mount(&blob.digest, "other/m").await.unwrap());
    assert_eq!(server.log()[0].query("from"), Some("other/m".to_owned()));
    assert_eq!(steps(&server), ["POST"]);
}

/// Security row Q11: the session that is opened instead of a mount is used by the push.
#[tokio::test]
async fn q11_session_opened_instead_of_a_mount_is_used() {
    let server = Scripted::honest();
    let (blob, bytes) = content(7);
    let repository = anonymous(&server);
    assert!(!repository.mount(&blob.digest, "other/m").await.unwrap());
    repository.push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&server), ["POST", "PUT"]);
    // Of two sessions, one is used and the other cancelled.
    let (next, bytes) = content(8);
    assert!(!repository.mount(&next.digest, "other/a").await.unwrap());
    assert!(!repository.mount(&next.digest, "other/b").await.unwrap());
    repository.push(&next, &bytes).await.unwrap();
    assert_eq!(steps(&server)[2..], ["POST", "POST", "DELETE", "PUT"]);
    assert_eq!(server.contents().uploads.count(), 0);
}

/// Security row Q11: whatever a mount is refused with, the blob can be pushed.
#[tokio::test]
async fn q11_refused_mount_leads_to_an_upload() {
    for status in [400, 401, 403, 404, 405, 415] {
        let server = Scripted::start(move |seen| mounts(seen).then(|| Reply::new(status, "")));
        let (blob, bytes) = content(7);
        let repository = anonymous(&server);
        assert!(!repository.mount(&blob.digest, "x").await.unwrap());
        repository.push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "POST", "PUT"], "{status}");
    }
}

/// Security row Q12: whether a blob is there is only asked to save work. Who may not ask pushes.
#[tokio::test]
async fn q12_existence_check_is_an_optimisation() {
    for status in [401, 403, 404, 405] {
        let server =
            Scripted::start(move |seen| (seen.method == "HEAD").then(|| Reply::new(status, "")));
        let (blob, bytes) = content(7);
        let repository = anonymous(&server);
        let exists = repository.exists(&blob).await;
        match status {
            // That nobody is logged in is worth saying before anything is sent.
            401 => assert_eq!(exists.unwrap_err().kind(), ErrorKind::Denied),
            _ => assert!(!exists.unwrap(), "{status}"),
        }
        repository.push(&blob, &bytes).await.unwrap();
        assert_eq!(server.contents().blobs.len(), 1);
    }
    // Neither the length nor its absence is believed.
    for length in ["99", "0"] {
        let server = Scripted::start(move |seen| {
            (seen.method == "HEAD").then(|| Reply::new(200, "").with("X-Length", length))
        });
        assert!(anonymous(&server).exists(&content(7).0).await.unwrap());
    }
}
