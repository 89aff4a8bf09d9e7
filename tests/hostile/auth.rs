//! Who a client is to a registry, whatever the registry asks.

use modelctl::ErrorKind;
use modelctl::store::Storage;
use modelctl::transport::credentials::Credential;

use crate::support::scripted::{Reply, Scripted};
use crate::support::tokens::{BASIC, BLOB, blob, guarded, known, numbering, user};
use crate::support::transport::{anonymous, message, read, with};

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

/// Security row Q09: the same for a read.
#[tokio::test]
async fn q09_second_refusal_of_a_read_is_final() {
    let tokens = numbering();
    let registry = guarded(&tokens.url(), |_, _| false);
    let error = read(&with(user(&registry), &registry), &blob())
        .await
        .unwrap_err();
    assert_eq!(
        message(&error, &[("R", &registry)]),
        format!(
            "`GET http://R/v2/m/blobs/{}` failed: the credentials of user `u` were not accepted (401)",
            blob().digest
        )
    );
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!((registry.log().len(), tokens.log().len()), (2, 1));
}

/// Security row Q10: the scope that a challenge asks for is added, here that of deleting.
#[tokio::test]
async fn q10_scope_of_a_challenge_is_asked_for_once() {
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

/// Security row Q41: a password is enough where no token server is named, and even where nothing
/// is said at all.
#[tokio::test]
async fn q41_password_is_sent_where_it_is_asked_for() {
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
