//! An independent client as the judge: `oci-client` pulls what we push, and we pull what it pushes.

use modelctl::oci::{Descriptor, Document, Manifest, Reference, media_type};
use modelctl::store::{Storage, Tags};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;

use crate::support::embedded::Embedded;
use crate::support::transport::{at, options, read};

fn peer() -> oci_client::Client {
    let config = ClientConfig {
        protocol: ClientProtocol::Http,
        use_monolithic_push: true,
        ..ClientConfig::default()
    };
    oci_client::Client::try_from(config).unwrap()
}

fn peer_reference(registry: &Embedded) -> oci_client::Reference {
    format!("{}/m:v1", registry.address).parse().unwrap()
}

fn tag() -> Reference {
    "m:v1".parse().unwrap()
}

/// A manifest with one layer.
fn manifest(config: &Descriptor, layer: &Descriptor) -> Document {
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some(media_type::MODEL.to_owned()),
        config: config.clone(),
        layers: vec![layer.clone()],
        subject: None,
        annotations: [("html".to_owned(), "<&>".to_owned())].into(),
    })
}

fn content() -> (Vec<u8>, Vec<u8>) {
    let layer = (0..3_000_000_u32).map(|at| (at / 11) as u8).collect();
    (b"{}".to_vec(), layer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pushed_is_pulled_by_another_client() {
    let registry = Embedded::new();
    let repository = at(options(), &registry.address.to_string());
    let (config_bytes, layer_bytes) = content();
    let config = Descriptor::of(media_type::EMPTY, &config_bytes);
    let layer = Descriptor::of(media_type::LAYER_WEIGHTS, &layer_bytes);
    repository.push(&config, &config_bytes).await.unwrap();
    repository.push(&layer, &layer_bytes).await.unwrap();
    let document = manifest(&config, &layer);
    let raw = document.raw().to_vec();
    repository.push(&document.descriptor(), &raw).await.unwrap();
    repository
        .tag(&document.descriptor(), &tag())
        .await
        .unwrap();

    let (peer, reference) = (peer(), peer_reference(&registry));
    let accepted = [media_type::MANIFEST];
    let pulled = peer
        .pull_manifest_raw(&reference, &RegistryAuth::Anonymous, &accepted)
        .await;
    let (bytes, digest) = pulled.unwrap();
    assert_eq!(
        (bytes.as_ref(), digest),
        (document.raw(), document.digest().to_string())
    );
    let mut pulled = Vec::new();
    let digest = layer.digest.to_string();
    peer.pull_blob(&reference, digest.as_str(), &mut pulled)
        .await
        .unwrap();
    assert_eq!(pulled, layer_bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_client_pushes_is_pulled() {
    let registry = Embedded::new();
    let (peer, reference) = (peer(), peer_reference(&registry));
    let (config_bytes, layer_bytes) = content();
    let config = Descriptor::of(media_type::EMPTY, &config_bytes);
    let layer = Descriptor::of(media_type::LAYER_WEIGHTS, &layer_bytes);
    for (blob, bytes) in [(&config, &config_bytes), (&layer, &layer_bytes)] {
        let digest = blob.digest.to_string();
        peer.push_blob(&reference, bytes.clone(), &digest)
            .await
            .unwrap();
    }
    let document = manifest(&config, &layer);
    let content_type = media_type::MANIFEST.parse().unwrap();
    let pushed = peer
        .push_manifest_raw(&reference, document.raw().to_vec(), content_type)
        .await;
    pushed.unwrap();

    let repository = at(options(), &registry.address.to_string());
    let resolved = repository.resolve(&tag()).await.unwrap();
    assert_eq!(resolved, document);
    assert_eq!(read(&repository, &layer).await.unwrap(), layer_bytes);
    assert_eq!(repository.tags().await.unwrap(), ["v1".parse().unwrap()]);
}
