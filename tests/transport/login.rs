//! Logging in and out, and what is never shown.

use modelctl::ErrorKind;
use modelctl::oci::Descriptor;
use modelctl::transport::credentials::{Credential, Credentials, StoredIn};
use modelctl::transport::{Client, ClientOptions, Proxies, Secret};

use crate::support::log::Log;
use crate::support::scripted::{Reply, Scripted};
use crate::support::transport::{anonymous, options, read, with};

/// A registry for the user `u` with the password `canary`.
fn guarded() -> Scripted {
    Scripted::start(|seen| {
        let is_known = seen.header("authorization") == Some("Basic dTpjYW5hcnk=");
        (!is_known).then(|| Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"r\""))
    })
}

#[tokio::test]
async fn login_stores_only_what_the_registry_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let registry = guarded();
    let name = registry.address.to_string();
    let client = || {
        let credentials = Credentials::default().file(&file);
        let options = ClientOptions {
            credentials,
            ..options()
        };
        Client::new(options).unwrap()
    };
    let wrong = Credential::password("u", "wrong");
    let error = client().log_in(&name, &wrong, &file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(!file.exists());

    let right = Credential::password("u", "canary");
    let stored = client().log_in(&name, &right, &file).await.unwrap();
    assert_eq!(stored, StoredIn::File(file.clone()));
    client().ping(&name).await.unwrap();

    assert!(client().log_out(&name, &file).await.unwrap());
    assert!(!client().log_out(&name, &file).await.unwrap());
    assert_eq!(
        client().ping(&name).await.unwrap_err().kind(),
        ErrorKind::Denied
    );
}

/// Security row A27.
#[tokio::test]
async fn faulty_credentials_file_is_named_before_anything_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    std::fs::write(&file, r#"{"auths":{"127.0.0.1":{"auth":"Y2FuYXJ5"}}}"#).unwrap();
    let registry = guarded();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("127.0.0.1", &registry.address.to_string()),
    )
    .unwrap();
    let credentials = Credentials::default().file(&file);
    let repository = with(
        ClientOptions {
            credentials,
            ..options()
        },
        &registry,
    );
    let error = read(&repository, &Descriptor::of("a/b", b"x"))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "credentials in `{}`: `auth` of `{}` has no colon after the user name",
            file.display(),
            registry.address
        )
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert_eq!(registry.log().len(), 1);
}

/// Security row A24.
#[tokio::test]
async fn secrets_are_not_shown_anywhere() {
    let log = Log::default();
    let _logging = log.listen();

    let store = Scripted::start(|_| Some(Reply::new(403, "<Error>expired</Error>")));
    let target = format!("{}/x?X-Amz-Signature=canary&canary", store.url());
    let tokens = Scripted::start(|_| Some(Reply::new(200, r#"{"token":"canary"}"#)));
    let challenge = format!(
        "Bearer realm=\"{}?x=canary\",service=\"canary\"",
        tokens.url()
    );
    let registry = Scripted::start(move |seen| {
        Some(match seen.header("authorization") {
            None => Reply::new(401, "").with("WWW-Authenticate", &challenge),
            Some(_) => Reply::redirect(307, &target)
                .with("Set-Cookie", "s=canary")
                .with("Warning", "299 - \"careful\u{9b}2J\""),
        })
    });
    let name = registry.address.to_string();
    let secret = |text: &str| Some(Secret::new(text));
    let laden = ClientOptions {
        credentials: Credentials::default().give(&name, Credential::password("u", "canary")),
        headers: vec![("X-Api-Key".to_owned(), Secret::new("canary"))],
        proxies: Proxies {
            https: secret("http://u:canary@127.0.0.1:1"),
            ..Proxies::default()
        },
        ..options()
    };
    let shown = format!("{laden:?} {laden:#?}");
    let repository = with(laden, &registry);
    let error = read(&repository, &Descriptor::of("a/b", b"x"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let shown = format!("{shown} {repository:?} {error} {error:?} {error:#?}");
    let log = log.text();
    assert!(
        log.contains("WARN") && log.contains("the registry warns: \"careful 2J\""),
        "{log}"
    );
    for text in [shown, log] {
        let text = text.to_lowercase();
        for canary in ["canary", "y2fuyxj5", "dtpjyw5hcnk"] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}

#[tokio::test]
async fn unusable_options_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, missing) = (
        folder.path().join("empty.pem"),
        folder.path().join("missing.pem"),
    );
    std::fs::write(&empty, "canary").unwrap();
    let with_authority = |path: &std::path::Path| ClientOptions {
        certificate_authorities: vec![path.to_owned()],
        ..options()
    };
    let with_header = |name: &str, value: &str| ClientOptions {
        headers: vec![(name.to_owned(), Secret::new(value))],
        ..options()
    };
    let with_proxy = ClientOptions {
        proxies: Proxies {
            http: Some(Secret::new("http://[canary")),
            ..Proxies::default()
        },
        ..options()
    };
    for (options, message, kind) in [
        (
            with_authority(&empty),
            format!("{}: expected a certificate in PEM", empty.display()),
            ErrorKind::Usage,
        ),
        (
            with_authority(&missing),
            format!(
                "`{}`: No such file or directory (os error 2)",
                missing.display()
            ),
            ErrorKind::Io,
        ),
        (
            with_header("X Y", "z"),
            "header \"X Y\": not a valid HTTP header".to_owned(),
            ErrorKind::Usage,
        ),
        (
            with_header("X", "canary\n"),
            "header \"X\": not a valid HTTP header".to_owned(),
            ErrorKind::Usage,
        ),
        (
            with_proxy,
            "proxy: not a valid URL".to_owned(),
            ErrorKind::Usage,
        ),
    ] {
        let error = Client::new(options).err().unwrap();
        assert_eq!((error.to_string(), error.kind()), (message, kind));
    }
}

#[tokio::test]
async fn proxy_is_used_for_what_it_is_named_for() {
    let registry = Scripted::honest();
    let proxy = Scripted::start(|_| Some(Reply::new(200, "x")));
    let blob = Descriptor::of("a/b", b"x");
    let through = |except: Option<&str>| ClientOptions {
        proxies: Proxies {
            http: Some(Secret::new(proxy.url())),
            https: None,
            except: except.map(str::to_owned),
        },
        ..options()
    };
    read(&with(through(None), &registry), &blob).await.unwrap();
    assert_eq!((proxy.log().len(), registry.log().len()), (1, 0));
    read(&with(through(Some("127.0.0.1")), &registry), &blob)
        .await
        .unwrap_err();
    assert_eq!((proxy.log().len(), registry.log().len()), (1, 1));
    read(&anonymous(&registry), &blob).await.unwrap_err();
    assert_eq!(proxy.log().len(), 1);
}
