use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::oci::{Digest, Reference};
use crate::store::{Memory, Tags};
use crate::trust::{PrivateKey, cosign};

async fn stored(store: &Memory) -> Descriptor {
    let config = Descriptor::of(media_type::EMPTY, EMPTY);
    store.push(&config, &EMPTY.to_vec()).await.unwrap();
    let document = Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: Some("application/vnd.example".to_owned()),
        config,
        layers: vec![],
        subject: None,
        annotations: BTreeMap::new(),
    });
    let manifest = document.descriptor();
    store
        .push(&manifest, &document.raw().to_vec())
        .await
        .unwrap();
    manifest
}

fn signature(key: &PrivateKey, subject: &Digest) -> Attachment {
    let bundle = cosign::sign(key, subject, BTreeMap::new()).unwrap();
    Attachment::bundle(&bundle, cosign::SIGN_PREDICATE)
}

#[tokio::test]
async fn referrer_is_that_of_cosign() {
    let store = Memory::new();
    let subject = stored(&store).await;
    let attachment = signature(&PrivateKey::generate(), &subject.digest);
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let attached = attach(&store, &subject, &attachment, time).await.unwrap();
    assert!(attached.is_new);
    let pinned = format!("m@{}", attached.manifest.digest);
    let document = store
        .resolve(&pinned.parse::<Reference>().unwrap())
        .await
        .unwrap();
    let expected = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"{BUNDLE_V03}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}},"layers":[{{"mediaType":"{BUNDLE_V03}","digest":"{}","size":{}}}],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{}}},"annotations":{{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","org.opencontainers.image.created":"2023-11-14T22:13:20Z"}}}}"#,
        Digest::sha256(&attachment.content),
        attachment.content.len(),
        subject.digest,
        subject.size,
    );
    assert_eq!(String::from_utf8_lossy(document.raw()), expected);
}

#[tokio::test]
async fn same_signature_is_attached_once_and_another_beside_it() {
    let store = Memory::new();
    let subject = stored(&store).await;
    let key = PrivateKey::generate();
    let first = signature(&key, &subject.digest);
    let early = attach(&store, &subject, &first, UNIX_EPOCH).await.unwrap();
    let later = UNIX_EPOCH + Duration::from_secs(1);
    let again = attach(&store, &subject, &first, later).await.unwrap();
    assert_eq!(
        (again.is_new, again.manifest.digest),
        (false, early.manifest.digest)
    );
    let other = signature(&PrivateKey::generate(), &subject.digest);
    assert!(
        attach(&store, &subject, &other, later)
            .await
            .unwrap()
            .is_new
    );
    assert_eq!(store.referrers(&subject.digest).await.unwrap().len(), 2);
}
