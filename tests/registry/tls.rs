//! TLS of the embedded registry.

use std::fs;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use modelctl::oci::{Descriptor, Reference, media_type};
use modelctl::registry::TlsFiles;
use modelctl::store::Storage;
use modelctl::transport::{Client, ClientOptions};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

use crate::support::embedded::Embedded;
use crate::support::http::connect;
use crate::support::scripted::Authority;

/// A registry with a certificate for `localhost`, and the file of who vouches for it.
fn encrypted(folder: &TempDir, patience: Duration) -> (Embedded, ClientOptions) {
    let authority = Authority::new();
    let trusted = folder.path().join("authority.pem");
    authority.write(&trusted);
    let files = authority.files(folder.path(), "localhost");
    let registry = Embedded::with(|options| {
        options.patience = patience;
        options.tls = Some(TlsFiles {
            certificate: files.certificate,
            key: files.key,
        });
    });
    let options = ClientOptions {
        plain_http: Some(false),
        certificate_authorities: vec![trusted],
        ..ClientOptions::default()
    };
    (registry, options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registry_speaks_tls_with_clients_that_trust_it() {
    let folder = TempDir::new().unwrap();
    let (registry, options) = encrypted(&folder, Duration::from_secs(30));
    let address = format!("localhost:{}/a:v1", registry.address.port());
    let reference: Reference = address.parse().unwrap();
    let repository = |options| {
        Client::new(options)
            .unwrap()
            .repository(&reference)
            .unwrap()
    };
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    let blob = Descriptor::of(media_type::OCTET_STREAM, &content);
    let trusting = repository(options);
    trusting.push(&blob, &content).await.unwrap();
    let mut read = Vec::new();
    let mut reader = trusting.fetch(&blob).await.unwrap();
    reader.read_to_end(&mut read).await.unwrap();
    assert!(read == content);
    let distrusting = repository(ClientOptions {
        plain_http: Some(false),
        ..ClientOptions::default()
    });
    distrusting.exists(&blob).await.unwrap_err();
}

/// Security row A28: a client that begins to encrypt and then says no more holds nothing for long,
/// and neither does one that does not encrypt at all.
#[test]
fn a28_handshakes_are_limited_in_time() {
    let folder = TempDir::new().unwrap();
    let (registry, _) = encrypted(&folder, Duration::from_millis(300));
    for sent in [
        &b""[..],
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /v2/ HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = connect(registry.address);
        stream.write_all(sent).unwrap();
        let begin = Instant::now();
        let mut rest = Vec::new();
        // Closed or reset: either way it is over.
        let _ = stream.read_to_end(&mut rest);
        assert!(begin.elapsed() < Duration::from_secs(15));
        assert!(!rest.starts_with(b"HTTP"), "it answered without TLS");
    }
}

#[test]
fn files_that_cannot_be_used_for_tls_stop_the_start() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    let good = authority.files(folder.path(), "localhost");
    let other = authority.files(folder.path(), "other");
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "no PEM\n").unwrap();
    let absent = folder.path().join("absent.pem");
    for (certificate, key, reason) in [
        (&absent, &good.key, "absent.pem"),
        (&empty, &good.key, "no certificate"),
        (&good.certificate, &empty, "no private key"),
        (&good.certificate, &good.certificate, "no private key"),
        (
            &good.certificate,
            &other.key,
            "not the key of the certificate",
        ),
    ] {
        let mut registry = Embedded::with(|options| {
            options.tls = Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            });
        });
        let refused = registry.stop().unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
    }
}
