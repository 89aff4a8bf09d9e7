//! Every verb of a repository against every registry, anonymous and with a password.

use modelctl::ErrorKind;
use modelctl::oci::{Descriptor, Digest, Document, Manifest, Reference, media_type};
use modelctl::store::{Referrers, Storage, Tags};
use modelctl::transport::credentials::{Credential, Credentials};
use modelctl::transport::{Client, ClientOptions, Repository};
use tokio::io::AsyncReadExt;

use super::programs::Server;
use crate::store::contract;

/// The user `user` with the password `secret`, in the form of htpasswd.
const USER: &str = "user:$2b$04$aK3p177BBMQvRWTIu4F/CO2.tyP.2/RlVTvXmEqKeqJwXBuxxz0bi";

fn repository(options: ClientOptions, server: &Server, name: &str) -> Repository {
    let reference: Reference = server.reference(name).parse().unwrap();
    Client::new(options)
        .unwrap()
        .repository(&reference)
        .unwrap()
}

fn manifest(blob: &Descriptor, subject: Option<Descriptor>) -> Document {
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(media_type::MODEL.to_owned()),
        config: blob.clone(),
        layers: vec![blob.clone()],
        subject,
        annotations: [("a".to_owned(), "<b>".to_owned())].into(),
    })
}

async fn push(repository: &Repository, document: &Document) {
    let raw = document.raw().to_vec();
    repository.push(&document.descriptor(), &raw).await.unwrap();
}

async fn use_every_verb(server: &Server, options: ClientOptions) {
    let name = server.name;
    let here = repository(options.clone(), server, "team/m");
    contract::check_all(&here).await;

    let bytes: Vec<u8> = (0..5_000_000_u32).map(|at| (at / 13) as u8).collect();
    let blob = Descriptor::of(media_type::OCTET_STREAM, &bytes);
    here.push(&blob, &bytes).await.unwrap();
    let mut part = Vec::new();
    let mut reader = here.fetch_range(&blob, 4_000_000..4_000_100).await.unwrap();
    reader.read_to_end(&mut part).await.unwrap();
    assert_eq!(part, bytes[4_000_000..4_000_100], "{name}");

    let other = repository(options, server, "team/other");
    if !other.mount(&blob.digest, "team/m").await.unwrap() {
        other.push(&blob, &bytes).await.unwrap();
    }
    assert!(other.exists(&blob).await.unwrap(), "{name}");

    let document = manifest(&blob, None);
    push(&here, &document).await;
    let (v1, v2): (Reference, Reference) = ("m:v1".parse().unwrap(), "m:v2".parse().unwrap());
    for tag in [&v1, &v2] {
        here.tag(&document.descriptor(), tag).await.unwrap();
        assert_eq!(here.resolve(tag).await.unwrap(), document, "{name}");
    }
    let tags = here.tags().await.unwrap();
    assert_eq!(
        tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        ["v1", "v2"],
        "{name}"
    );

    let referrer = manifest(&blob, Some(document.descriptor()));
    push(&here, &referrer).await;
    let listed = here.referrers(&document.digest()).await.unwrap();
    assert_eq!(listed.len(), 1, "{name}");
    assert_eq!(listed[0].digest, referrer.digest());
    assert_eq!(listed[0].artifact_type.as_deref(), Some(media_type::MODEL));
    let absent = Digest::sha256(b"nothing refers to this");
    assert!(here.referrers(&absent).await.unwrap().is_empty(), "{name}");

    let pinned = v1.clone().with_digest(referrer.digest());
    match here.delete(&pinned).await {
        Ok(()) => assert!(
            here.referrers(&document.digest()).await.unwrap().is_empty(),
            "{name}"
        ),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{name}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs registry, docker-registry and crane"]
async fn every_verb_works_with_every_registry() {
    for server in Server::all() {
        use_every_verb(&server, ClientOptions::default()).await;
    }
    use_every_verb(&Server::crane(), ClientOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs docker-registry"]
async fn every_verb_works_with_a_password() {
    let server = Server::debian_for(USER);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let credentials = Credentials::default().file(&file);
    let options = ClientOptions {
        credentials,
        ..ClientOptions::default()
    };
    let client = Client::new(options.clone()).unwrap();
    let wrong = Credential::password("user", "wrong");
    let error = client
        .log_in(&server.address, &wrong, &file)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    let right = Credential::password("user", "secret");
    client.log_in(&server.address, &right, &file).await.unwrap();
    use_every_verb(&server, options).await;
    let anonymous = repository(ClientOptions::default(), &server, "team/m");
    let error = anonymous.tags().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}
