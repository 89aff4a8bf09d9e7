//! TLS, proxies and addresses: how a registry is reached, and how it is not.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use modelctl::ErrorKind;
use modelctl::transport::{ClientOptions, Proxies, Secret};
use rustls::ServerConfig;

use crate::support::downloads::{BLOB, blob};
use crate::support::scripted::{Authority, Honest, Scripted};
use crate::support::tokens::BASIC;
use crate::support::transport::{at, options, read, with};

/// A registry that speaks TLS.
fn serve(tls: Arc<ServerConfig>) -> Scripted {
    let mut honest = Honest::default();
    honest.blob(BLOB);
    Scripted::serve(honest, |_| None, Some(tls))
}

/// A client that speaks TLS and trusts an authority.
fn trusting(authority: &Authority) -> (ClientOptions, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    authority.write(&file);
    let trusting = ClientOptions {
        plain_http: Some(false),
        certificate_authorities: vec![file],
        ..options()
    };
    (trusting, folder)
}

/// Security row Q45: an authority of one's own is trusted when it is named.
#[tokio::test]
async fn q45_own_authority_is_trusted() {
    let authority = Authority::new();
    let registry = serve(authority.server("127.0.0.1"));
    let (options, _folder) = trusting(&authority);
    assert_eq!(
        read(&with(options, &registry), &blob()).await.unwrap(),
        BLOB
    );
}

/// Security row Q45: every way in which a certificate is not good is named, nothing is sent, and
/// it is not tried again nor without TLS.
#[tokio::test]
async fn q45_bad_certificates_are_named() {
    let authority = Authority::new();
    let (good, _folder) = trusting(&authority);
    let stranger = ClientOptions {
        certificate_authorities: vec![],
        ..good.clone()
    };
    for (tls, options, reason) in [
        (authority.server("127.0.0.1"), &stranger, "UnknownIssuer"),
        (
            authority.self_signed_server("127.0.0.1"),
            &good,
            "UnknownIssuer",
        ),
        (
            authority.server("registry.example"),
            &good,
            "not valid for name \"127.0.0.1\"",
        ),
        (
            authority.expired_server("127.0.0.1"),
            &good,
            "certificate expired",
        ),
    ] {
        let registry = serve(tls);
        let error = read(&with(options.clone(), &registry), &blob())
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(" failed: TLS failed: invalid peer certificate: "),
            "{text}"
        );
        assert!(text.contains(reason), "{text}");
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(registry.log().is_empty());
        assert_eq!(registry.connections(), 1);
    }
}

/// A server that answers whatever comes with these bytes, and keeps the start of what came.
fn blunt(answer: &'static [u8]) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keeping = seen.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut start = [0; 4096];
            let read = stream.read(&mut start).unwrap_or(0);
            keeping.lock().unwrap().extend_from_slice(&start[..read]);
            let _ = stream.write_all(answer);
        }
    });
    (address, seen)
}

/// Security row Q45: plain HTTP where TLS was expected is told, and not fallen back to; the reverse
/// is told by the server.
#[tokio::test]
async fn q45_plain_http_and_tls_are_not_mixed_up() {
    let (address, seen) = blunt(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let mut secure = options();
    secure.plain_http = Some(false);
    let error = read(&at(secure, &address.to_string()), &blob())
        .await
        .unwrap_err();
    let end = " failed: TLS failed: the server does not speak TLS, perhaps plain HTTP";
    assert!(error.to_string().ends_with(end), "{error}");
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen[0], 0x16, "a TLS record, and nothing else");
    assert!(!seen.windows(4).any(|word| word == b"GET "));

    let (address, _) =
        blunt(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    let error = read(&at(options(), &address.to_string()), &blob())
        .await
        .unwrap_err();
    let end = "(400): Client sent an HTTP request to an HTTPS server.";
    assert!(error.to_string().ends_with(end), "{error}");

    // An alert, which is all that other servers say; once is enough to know.
    let (address, _) = blunt(&[0x15, 3, 3, 0, 2, 2, 10]);
    let error = read(&at(options(), &address.to_string()), &blob())
        .await
        .unwrap_err();
    let end = " failed: the server does not speak plain HTTP, perhaps TLS";
    assert!(error.to_string().ends_with(end), "{error}");
    assert_eq!(error.kind(), ErrorKind::Failed);
}

/// A proxy that tunnels, and keeps the heads of what it was asked.
fn tunnel() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let keeping = heads.clone();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|n| n == 1) {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            keeping.lock().unwrap().push(head);
            let Ok(server) = TcpStream::connect(target) else {
                continue;
            };
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server, client),
            ] {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    (address, heads)
}

/// Security row Q45: through a proxy that wants a password, and past it where `NO_PROXY` says so.
/// The registry does not learn the proxy's password, nor the proxy the registry's.
#[tokio::test]
async fn q45_proxies_with_a_password_and_exceptions() {
    let authority = Authority::new();
    let registry = serve(authority.server("127.0.0.1"));
    let (proxy, heads) = tunnel();
    let (options, _folder) = trusting(&authority);
    let through = |except: Option<&str>| ClientOptions {
        proxies: Proxies {
            http: None,
            https: Some(Secret::new(format!("http://u:canary@{proxy}"))),
            except: except.map(str::to_owned),
        },
        ..options.clone()
    };
    assert_eq!(
        read(&with(through(None), &registry), &blob())
            .await
            .unwrap(),
        BLOB
    );
    let asked = heads.lock().unwrap().clone();
    let [head] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(
        head.starts_with(&format!("CONNECT {} HTTP/1.1", registry.address)),
        "{head}"
    );
    let lower = head.to_lowercase();
    assert!(
        lower.contains(&format!("proxy-authorization: {}", BASIC.to_lowercase())),
        "{head}"
    );
    assert!(!lower.contains("\r\nauthorization"), "{head}");
    assert!(
        !registry
            .text()
            .to_lowercase()
            .contains("proxy-authorization")
    );

    for except in ["127.0.0.1", "127.0.0.0/8", "other.example, 127.0.0.1", "*"] {
        let read = read(&with(through(Some(except)), &registry), &blob()).await;
        assert_eq!(read.unwrap(), BLOB);
        assert_eq!(heads.lock().unwrap().len(), 1, "{except}");
    }
    let away = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut gone = through(None);
    gone.proxies.https = Some(Secret::new(format!("http://u:canary@{away}")));
    let error = read(&with(gone, &registry), &blob()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
}

/// Security row Q45: a host with addresses of both families of which one does not answer.
#[tokio::test]
async fn q45_other_address_family_is_tried() {
    let registry = Scripted::honest();
    registry.contents().blob(BLOB);
    let (v6, v4) = (
        IpAddr::from(Ipv6Addr::LOCALHOST),
        IpAddr::from(Ipv4Addr::LOCALHOST),
    );
    for addresses in [vec![v6, v4], vec![v4, v6], vec![v4]] {
        let both = ClientOptions {
            plain_http: Some(true),
            addresses: [("registry.example".to_owned(), addresses)].into(),
            ..options()
        };
        let name = format!("registry.example:{}", registry.address.port());
        assert_eq!(read(&at(both, &name), &blob()).await.unwrap(), BLOB);
    }
}
