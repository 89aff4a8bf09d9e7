//! Token servers that want more than they should get, or give less than they should.

use modelctl::ErrorKind;
use modelctl::store::Storage;
use modelctl::transport::credentials::Credential;

use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::tokens::{BASIC, BLOB, blob, guarded, known, numbering, user};
use crate::support::transport::{anonymous, at, message, read, with};

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
        public.addresses = [("registry.example".to_owned(), vec![registry.address.ip()])].into();
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

/// Security row Q41: a token comes in every form, is opaque, and is used for a minute at least.
#[tokio::test]
async fn q41_tokens_come_in_all_forms() {
    for document in [
        r#"{"token":"T"}"#,
        r#"{"access_token":"T"}"#,
        r#"{"token":"","access_token":"T","expires_in":0}"#,
        r#"{"token":"T","expires_in":-1,"issued_at":"0001-01-01T00:00:00Z"}"#,
        r#"{"token":"T","expires_in":"soon","refresh_token":"R"}"#,
        r#"{"token":"T","expires_in":1e300}"#,
        r#"{"token":"T","expires_in":null,"issued_at":null}"#,
        r#"{"token":"T","expires_in":59}"#,
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

/// Security row Q41: an identity token is exchanged, in one way or the other.
#[tokio::test]
async fn q41_identity_token_is_exchanged() {
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
