//! Registries and token servers that want more than they should get, or give less than they should.

use std::sync::atomic::{AtomicU32, Ordering};

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;
use modelctl::store::Storage;
use modelctl::transport::ClientOptions;
use modelctl::transport::credentials::{Credential, Credentials};

use crate::support::scripted::{Content, Reply, Scripted, Seen};
use crate::support::transport::{anonymous, at, message, options, read, with};

const BLOB: &[u8] = b"weights";

/// `u:canary`.
const BASIC: &str = "Basic dTpjYW5hcnk=";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

fn known(registry: &str, credential: Credential) -> ClientOptions {
    ClientOptions {
        credentials: Credentials::default().give(registry, credential),
        ..options()
    }
}

fn user(registry: &Scripted) -> ClientOptions {
    known(
        &registry.address.to_string(),
        Credential::password("u", "canary"),
    )
}

/// A registry that accepts one token and sends everybody else to a token server.
fn guarded(realm: &str, accepts: impl Fn(&Seen, &str) -> bool + Send + Sync + 'static) -> Scripted {
    let challenge =
        format!("Bearer realm=\"{realm}\",service=\"s, t\",scope=\"repository:m:pull\"");
    let server = Scripted::start(move |seen| {
        let sent = seen.header("authorization").unwrap_or_default();
        let refused = Reply::new(401, "").with("WWW-Authenticate", &challenge);
        (!accepts(seen, sent)).then_some(refused)
    });
    server.contents().blob(BLOB);
    server
}

/// A token server that numbers its tokens: T1, T2, ….
fn numbering() -> Scripted {
    let next = AtomicU32::new(1);
    Scripted::start(move |_| {
        let token = format!("T{}", next.fetch_add(1, Ordering::SeqCst));
        Some(Reply::new(
            200,
            serde_json::json!({ "token": token }).to_string(),
        ))
    })
}

#[tokio::test]
async fn token_is_fetched_once_and_used_for_all() {
    let tokens = numbering();
    let registry = guarded(&format!("{}/t?a=b", tokens.url()), |_, sent| {
        sent == "Bearer T1"
    });
    let repository = with(user(&registry), &registry);
    for _ in 0..3 {
        assert_eq!(read(&repository, &blob()).await.unwrap(), BLOB);
    }
    let [asked] = &tokens.log()[..] else {
        panic!("{:?}", tokens.lines())
    };
    assert_eq!(
        asked.target,
        "/t?a=b&service=s%2C+t&scope=repository%3Am%3Apull"
    );
    assert_eq!(asked.header("authorization"), Some(BASIC));
    // The password went to the token server alone, and the token not there.
    assert!(!registry.text().contains(BASIC));
    assert_eq!(registry.log().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_share_a_token() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |_, sent| sent == "Bearer T1");
    let repository = with(user(&registry), &registry);
    let blob = blob();
    let reads = (0..8).map(|_| read(&repository, &blob));
    for bytes in futures_util::future::join_all(reads).await {
        assert_eq!(bytes.unwrap(), BLOB);
    }
    assert_eq!(tokens.log().len(), 1);
}

#[tokio::test]
async fn push_asks_for_more_than_pull() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |_, sent| sent.starts_with("Bearer T"));
    let repository = with(user(&registry), &registry);
    repository.push(&blob(), &BLOB.to_vec()).await.unwrap();
    assert_eq!(
        tokens.log()[0].query("scope").unwrap(),
        "repository:m:pull,push"
    );
    // The greater token is good for reading too.
    read(&repository, &blob()).await.unwrap();
    assert_eq!(tokens.log().len(), 1);
    repository.mount(&blob().digest, "other").await.unwrap();
    let scopes: Vec<_> = tokens.log()[1]
        .target
        .split('&')
        .filter(|p| p.starts_with("scope"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        scopes,
        [
            "scope=repository%3Am%3Apull%2Cpush",
            "scope=repository%3Aother%3Apull"
        ]
    );
}

/// Quirk Q09: a token that ends in the middle is renewed once, and the content sent again.
#[tokio::test]
async fn token_that_ends_in_the_middle_is_renewed() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |seen, sent| match seen.method.as_str() {
        "PUT" => sent == "Bearer T2",
        _ => sent.starts_with("Bearer T"),
    });
    with(user(&registry), &registry)
        .push(&blob(), &BLOB.to_vec())
        .await
        .unwrap();
    assert_eq!(tokens.log().len(), 2);
    assert_eq!(registry.contents().blobs.len(), 1);
}

/// Quirk Q09.
#[tokio::test]
async fn second_refusal_is_final() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |_, _| false);
    let error = read(&with(user(&registry), &registry), &blob())
        .await
        .unwrap_err();
    assert_eq!(
        message(&error, &[("R", &registry)]),
        format!(
            "`GET http://R/v2/m/blobs/{}` failed: credentials are missing or were not accepted (401)",
            blob().digest
        )
    );
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!((registry.log().len(), tokens.log().len()), (2, 1));
}

/// Quirk Q10.
#[tokio::test]
async fn insufficient_scope_is_asked_for_once() {
    let tokens = numbering();
    let realm = tokens.url();
    let registry = Scripted::start(move |seen| {
        let (error, scope) = match seen.header("authorization") {
            Some("Bearer T2") => return Some(Reply::new(202, "")),
            Some(_) => (",error=\"insufficient_scope\"", "repository:m:delete"),
            None => ("", "repository:m:pull"),
        };
        let challenge = format!("Bearer realm=\"{realm}\",scope=\"{scope}\"{error}");
        Some(Reply::new(401, "").with("WWW-Authenticate", challenge))
    });
    let tag = "m:v1".parse().unwrap();
    with(user(&registry), &registry).delete(&tag).await.unwrap();
    let scopes: Vec<_> = tokens
        .log()
        .iter()
        .map(|seen| seen.query("scope").unwrap())
        .collect();
    assert_eq!(
        scopes,
        ["repository:m:pull,push", "repository:m:delete,pull,push"]
    );
}

/// Security row A22: what a public registry may not name as its token server.
#[tokio::test]
async fn hostile_realms_get_nothing() {
    let inside = numbering();
    let port = inside.address.port();
    for (challenge, reason) in [
        (
            format!("Bearer realm=\"http://127.0.0.1:{port}/\""),
            "refusing to go to the internal address",
        ),
        (
            format!("Bearer realm=\"http://[::1]:{port}/\""),
            "refusing to go to the internal address",
        ),
        (
            "Bearer realm=\"http://169.254.169.254/\"".to_owned(),
            "refusing to go to the internal address",
        ),
        (
            "Bearer realm=\"file:///etc/passwd\"".to_owned(),
            "only http and https are followed",
        ),
        (
            "Bearer realm=\"gopher://h/\"".to_owned(),
            "only http and https are followed",
        ),
        (
            "Bearer realm=\"http://u:p@h.example/\"".to_owned(),
            "with the user name in the URL",
        ),
        (
            "Bearer realm=\"\"".to_owned(),
            "the token server's URL is invalid",
        ),
        (
            format!("Bearer realm=\"http://h.example/{}\"", "x".repeat(4000)),
            "longer than 2048 bytes",
        ),
        (
            "Bearer realm=\"http://h".to_owned(),
            "sent an invalid `www-authenticate` header",
        ),
        (
            "Bearer realm=\"http://a/\", realm=\"http://b/\"".to_owned(),
            "sent an invalid",
        ),
    ] {
        let registry = Scripted::start(move |_| {
            Some(Reply::new(401, "").with("WWW-Authenticate", &challenge))
        });
        let name = format!("registry.example:{}", registry.address.port());
        let mut public = known(&name, Credential::password("u", "canary"));
        public.plain_http = Some(true);
        public.addresses = [("registry.example".to_owned(), registry.address.ip())].into();
        let error = read(&at(public, &name), &blob()).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(registry.log().len(), 1);
        assert!(!registry.text().contains(BASIC));
    }
    assert!(inside.log().is_empty());
}

/// Security row A22: a token server does not pass a password on either.
#[tokio::test]
async fn token_servers_redirect_is_not_followed_elsewhere() {
    let attacker = numbering();
    let target = attacker.url();
    let tokens = Scripted::start(move |_| Some(Reply::redirect(307, &target)));
    let registry = guarded(&tokens.url(), |_, _| false);
    let error = read(&with(user(&registry), &registry), &blob())
        .await
        .unwrap_err();
    assert_eq!(
        message(
            &error,
            &[("R", &registry), ("T", &tokens), ("X", &attacker)]
        ),
        "no token for `R`: `GET http://T/?service=…&scope=…`: refusing to follow a token server's \
         redirect to `http://X/`"
    );
    assert!(attacker.log().is_empty());
}

/// Security row A32.
#[tokio::test]
async fn token_is_read_to_a_limit() {
    for content in [Content::Endless, Content::Bytes(vec![b' '; 128 * 1024 + 1])] {
        let tokens = Scripted::start(move |_| Some(Reply::new(200, "").content(content.clone())));
        let registry = guarded(&tokens.url(), |_, _| false);
        let error = read(&with(user(&registry), &registry), &blob())
            .await
            .unwrap_err();
        let end = ": the registry sent a token larger than 131072 bytes";
        assert!(error.to_string().ends_with(end), "{error}");
    }
}

/// Quirks Q41 and Q47.
#[tokio::test]
async fn tokens_come_in_all_forms() {
    for document in [
        r#"{"token":"T"}"#,
        r#"{"access_token":"T"}"#,
        r#"{"token":"","access_token":"T","expires_in":0}"#,
        r#"{"token":"T","expires_in":-1,"issued_at":"0001-01-01T00:00:00Z"}"#,
        r#"{"token":"T","expires_in":"soon","refresh_token":"R"}"#,
        r#"{"token":"T","expires_in":1e300}"#,
    ] {
        let tokens = Scripted::start(move |_| Some(Reply::new(200, document)));
        let registry = guarded(&tokens.url(), |_, sent| sent == "Bearer T");
        let repository = anonymous(&registry);
        for _ in 0..2 {
            assert_eq!(
                read(&repository, &blob()).await.unwrap(),
                BLOB,
                "{document}"
            );
        }
        assert_eq!(tokens.log().len(), 1, "{document}");
        assert_eq!(tokens.log()[0].header("authorization"), None);
    }
    for (document, reason) in [
        ("{}", "no member `token` or `access_token`"),
        ("canary", "not the JSON of a token"),
        (
            r#"{"token":"canary\n"}"#,
            "characters that no header can hold",
        ),
    ] {
        let tokens = Scripted::start(move |_| Some(Reply::new(200, document)));
        let registry = guarded(&tokens.url(), |_, _| false);
        let error = read(&anonymous(&registry), &blob()).await.unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(&format!("malformed token: {reason}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn refused_token_is_denied_access() {
    for status in [400, 401, 403, 404] {
        let tokens = Scripted::start(move |_| Some(Reply::new(status, "")));
        let registry = guarded(&tokens.url(), |_, _| false);
        let repository = with(user(&registry), &registry);
        // Not "not found": it is the token server that says so, not the registry.
        let error = repository.exists(&blob()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    }
}

/// Quirk Q41: an identity token is exchanged, in one way or the other.
#[tokio::test]
async fn identity_token_is_exchanged() {
    for post in [200, 400, 401, 404, 405] {
        let tokens = Scripted::start(move |seen| {
            let status = if seen.method == "POST" { post } else { 200 };
            Some(Reply::new(status, r#"{"access_token":"T"}"#))
        });
        let registry = guarded(&tokens.url(), |_, sent| sent == "Bearer T");
        let name = registry.address.to_string();
        let options = known(&name, Credential::IdentityToken("canary".into()));
        assert_eq!(
            read(&with(options, &registry), &blob()).await.unwrap(),
            BLOB
        );
        let log = tokens.log();
        let form = String::from_utf8(log[0].body.clone()).unwrap();
        assert_eq!(
            form,
            "grant_type=refresh_token&client_id=modelctl&refresh_token=canary&service=s%2C+t&\
             scope=repository%3Am%3Apull"
        );
        assert_eq!(log.len(), if post == 200 { 1 } else { 2 });
        assert!(!registry.text().contains("canary"));
    }
}

/// Quirk Q41.
#[tokio::test]
async fn password_is_sent_where_it_is_asked_for() {
    for challenge in [Some("Basic realm=\"r\""), None] {
        let registry = Scripted::start(move |seen| {
            let reply = Reply::new(401, "");
            let reply = match challenge {
                Some(challenge) => reply.with("WWW-Authenticate", challenge),
                None => reply,
            };
            (seen.header("authorization") != Some(BASIC)).then_some(reply)
        });
        registry.contents().blob(BLOB);
        let repository = with(user(&registry), &registry);
        for _ in 0..2 {
            read(&repository, &blob()).await.unwrap();
        }
        assert_eq!(registry.log().len(), 3);
        let error = read(&anonymous(&registry), &blob()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

/// A password for one registry is not for another on the same host.
#[tokio::test]
async fn password_of_another_registry_is_not_sent() {
    let registry = Scripted::start(|_| {
        Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""))
    });
    let other = known("127.0.0.1:1", Credential::password("u", "canary"));
    let error = read(&with(other, &registry), &blob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(!registry.text().contains("authorization"));
}
