//! Registries that send a client elsewhere: what goes along, and where it does not go at all.

use std::sync::Arc;

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;
use modelctl::store::Storage;
use modelctl::transport::credentials::{Credential, Credentials};
use modelctl::transport::{ClientOptions, Secret};

use crate::support::scripted::{Authority, Honest, Reply, Scripted, Seen};
use crate::support::transport::{anonymous, at, message, options, read, with};

const BLOB: &[u8] = b"weights";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

/// A client with everything that must stay at the registry.
fn laden(registry: &str) -> ClientOptions {
    ClientOptions {
        credentials: Credentials::default().give(registry, Credential::password("u", "canary")),
        headers: vec![("X-Api-Key".to_owned(), Secret::new("canary"))],
        ..options()
    }
}

fn is_blob(seen: &Seen) -> bool {
    seen.path().contains("/blobs/sha256:")
}

/// A registry that wants Basic credentials and redirects its blobs.
fn redirecting(target: impl Fn(&Seen) -> String + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |seen| {
        if seen.header("authorization").is_none() {
            return Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""));
        }
        is_blob(seen).then(|| Reply::redirect(307, target(seen)))
    })
}

/// A store that answers everything with the blob, as long as one way to be known is used.
fn store() -> Scripted {
    Scripted::start(|seen| {
        let refused = "Only one auth mechanism allowed";
        Some(match seen.header("authorization") {
            None => Reply::new(200, BLOB),
            Some(_) => Reply::new(400, refused),
        })
    })
}

/// `dTpjYW5hcnk=` is `u:canary`.
fn assert_unladen(server: &Scripted) {
    let text = server.text();
    for secret in [
        "canary",
        "dTpjYW5hcnk",
        "authorization",
        "cookie",
        "x-api-key",
    ] {
        assert!(
            !text.to_lowercase().contains(&secret.to_lowercase()),
            "{secret} in {text}"
        );
    }
}

/// Security row Q30, and A21 and A23: another port is another origin; stores refuse a request that
/// has an `Authorization` beside its signature.
#[tokio::test]
async fn q30_nothing_of_the_registry_goes_along_to_another_port() {
    for status in [301, 302, 303, 307, 308] {
        let store = store();
        let target = format!("{}/signed?X-Sig=1", store.url());
        let registry = Scripted::start(move |seen| {
            if seen.header("authorization").is_none() {
                return Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""));
            }
            is_blob(seen).then(|| Reply::redirect(status, &target))
        });
        let repository = with(laden(&registry.address.to_string()), &registry);
        assert_eq!(read(&repository, &blob()).await.unwrap(), BLOB);
        assert_eq!(store.lines(), ["GET /signed?X-Sig=1"]);
        assert_unladen(&store);
        let last = registry.log().pop().unwrap();
        assert_eq!(last.header("authorization"), Some("Basic dTpjYW5hcnk="));
        assert_eq!(last.header("x-api-key"), Some("canary"));
    }
}

/// Security row A21.
#[tokio::test]
async fn another_name_of_the_same_host_is_another_origin() {
    let registry = redirecting(|seen| {
        let host = seen
            .header("host")
            .unwrap()
            .replace("127.0.0.1", "localhost");
        format!("http://{host}/v2/elsewhere")
    });
    let repository = with(laden(&registry.address.to_string()), &registry);
    let error = read(&repository, &blob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let last = registry.log().pop().unwrap();
    assert_eq!(last.target, "/v2/elsewhere");
    assert_eq!(
        (last.header("authorization"), last.header("x-api-key")),
        (None, None)
    );
}

/// Security row A21.
#[tokio::test]
async fn circles_and_long_ways_are_not_followed() {
    let circle = redirecting(|_| "/v2/m/blobs/sha256:x".to_owned());
    let error = read(&with(laden(&circle.address.to_string()), &circle), &blob())
        .await
        .unwrap_err();
    assert_eq!(
        message(&error, &[("R", &circle)]),
        "`GET http://R/v2/m/blobs/sha256:x`: sent in a circle, back to \
         `http://R/v2/m/blobs/sha256:x`"
    );
    let long = redirecting(|seen| format!("{}x", seen.target));
    let error = read(&with(laden(&long.address.to_string()), &long), &blob())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with(": redirected more than 10 times"),
        "{error}"
    );
    // The challenge, and eleven places.
    assert_eq!(long.log().len(), 12);
}

/// Security rows A21 and A22: a challenge from elsewhere is not the registry's.
#[tokio::test]
async fn challenge_of_a_redirect_target_is_not_answered() {
    let attacker = Scripted::start(|seen| {
        let realm = format!(
            "Bearer realm=\"http://{}/token\"",
            seen.header("host").unwrap()
        );
        Some(Reply::new(401, "").with("WWW-Authenticate", realm))
    });
    let target = format!("{}/blob", attacker.url());
    let registry = redirecting(move |_| target.clone());
    let repository = with(laden(&registry.address.to_string()), &registry);
    let error = read(&repository, &blob()).await.unwrap_err();
    assert_eq!(
        message(&error, &[("X", &attacker)]),
        "`GET http://X/blob` failed: credentials are missing or were not accepted (401)"
    );
    assert_eq!(attacker.lines(), ["GET /blob"]);
    assert_unladen(&attacker);
}

/// Security row A20: pre-signed upload URLs work, without anything of the registry.
#[tokio::test]
async fn upload_to_another_host_is_sent_without_credentials() {
    let store = Scripted::start(|_| Some(Reply::new(201, "").with("Set-Cookie", "a=b")));
    let location = format!("{}/u?sig=1", store.url());
    let registry = Scripted::start(move |seen| {
        if seen.header("authorization").is_none() {
            return Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""));
        }
        Some(
            Reply::new(202, "")
                .with("Location", &location)
                .with("Set-Cookie", "c=d"),
        )
    });
    let repository = with(laden(&registry.address.to_string()), &registry);
    repository.push(&blob(), &BLOB.to_vec()).await.unwrap();
    assert_eq!(store.log()[0].body, BLOB);
    assert!(store.lines()[0].starts_with("PUT /u?sig=1&digest=sha256"));
    assert_unladen(&store);
}

#[tokio::test]
async fn redirected_upload_is_sent_again_as_it_is() {
    let store = Scripted::start(|_| Some(Reply::new(201, "")));
    let target = format!("{}/u", store.url());
    let registry =
        Scripted::start(move |seen| (seen.method == "PUT").then(|| Reply::redirect(307, &target)));
    anonymous(&registry)
        .push(&blob(), &BLOB.to_vec())
        .await
        .unwrap();
    assert_eq!(store.log()[0].body, BLOB);
}

/// Security row A25: a registry on the internet does not name what only we can reach.
#[tokio::test]
async fn public_registry_cannot_send_us_inwards() {
    let inside = store();
    let port = inside.address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ] {
        let target = format!("http://{host}:{port}/x");
        let registry = Scripted::start(move |_| Some(Reply::redirect(307, &target)));
        let mut public = options();
        public.plain_http = Some(true);
        public.addresses = [("registry.example".to_owned(), vec![registry.address.ip()])].into();
        let name = format!("registry.example:{}", registry.address.port());
        let error = read(&at(public, &name), &blob()).await.unwrap_err();
        let reason = ": refusing to go to the internal address `http://";
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
    assert!(inside.log().is_empty());
}

/// A TLS registry and a client that trusts it.
fn secure(
    authority: &Authority,
    script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
) -> (Scripted, ClientOptions, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    authority.write(&file);
    let server = Scripted::serve(
        Honest::default(),
        script,
        Some(authority.server("127.0.0.1")),
    );
    let trusting = ClientOptions {
        plain_http: Some(false),
        certificate_authorities: vec![file],
        ..laden(&server.address.to_string())
    };
    (server, trusting, folder)
}

/// Security rows A20 and A21.
#[tokio::test]
async fn nothing_is_downgraded_to_plain_http() {
    let authority = Authority::new();
    let store = Arc::new(store());
    let target = format!("{}/u?x=canary", store.url());
    let (registry, options, _folder) = secure(&authority, move |seen| {
        let status = if seen.method == "POST" { 202 } else { 307 };
        Some(Reply::redirect(status, &target))
    });
    let repository = with(options, &registry);
    let reason = "refusing to downgrade to plain HTTP at `http://X/u?x=…`";
    let servers: [(&str, &Scripted); 2] = [("R", &registry), ("X", &store)];
    let error = repository.push(&blob(), &BLOB.to_vec()).await.unwrap_err();
    let expected = format!("`POST https://R/v2/m/blobs/uploads/`: {reason}");
    assert_eq!(message(&error, &servers), expected);
    let error = read(&repository, &blob()).await.unwrap_err();
    let expected = format!("`GET https://R/v2/m/blobs/{}`: {reason}", blob().digest);
    assert_eq!(message(&error, &servers), expected);
    assert!(store.log().is_empty());
}

/// Security row Q06: a registry that does not know that it is behind TLS is put right.
#[tokio::test]
async fn q06_registry_behind_a_tls_proxy_is_reached_by_https() {
    let authority = Authority::new();
    let (registry, options, _folder) = secure(&authority, |seen| {
        let host = seen.header("host").unwrap();
        let location = format!("http://{host}/v2/m/blobs/uploads/u1");
        match seen.method.as_str() {
            "POST" => Some(Reply::redirect(202, location)),
            "PUT" => Some(Reply::new(201, "")),
            _ => None,
        }
    });
    let pushed = with(options, &registry).push(&blob(), &BLOB.to_vec()).await;
    pushed.unwrap();
    assert!(registry.lines()[1].starts_with("PUT /v2/m/blobs/uploads/u1?digest="));
}

/// Security row A23.
#[tokio::test]
async fn client_certificate_is_shown_to_the_registry_only() {
    let authority = Authority::new();
    let (store, _, _folder) = secure(&authority, |_| Some(Reply::new(200, BLOB)));
    let target = format!("https://{}/x", store.address);
    let (registry, mut options, folder) =
        secure(&authority, move |_| Some(Reply::redirect(307, &target)));
    options.client_certificate = Some(authority.client(folder.path()));
    assert_eq!(
        read(&with(options, &registry), &blob()).await.unwrap(),
        BLOB
    );
    assert!(registry.log()[0].has_certificate);
    assert!(!store.log()[0].has_certificate);
    assert_unladen(&store);
}
