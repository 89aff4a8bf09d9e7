use super::*;
use crate::oci::{Digest, media_type};
use crate::store::Memory;
use crate::trust::cosign::legacy_tag;

const MANIFEST: &[u8] = b"{}";

async fn signed(store: &Memory, key: &PrivateKey) -> Descriptor {
    let claim = SimpleSigning::new("registry.example/demo/model", Digest::sha256(MANIFEST));
    let repository: Reference = "registry.example/demo/model".parse().unwrap();
    let tag = &repository.with_tag(legacy_tag(&Digest::sha256(MANIFEST)));
    let place = Beside {
        store,
        tags: store,
        tag,
    };
    sign(place, key, &claim).await.unwrap()
}

async fn under_tag(store: &Memory) -> Document {
    let repository: Reference = "registry.example/demo/model".parse().unwrap();
    let tag = legacy_tag(&Digest::sha256(MANIFEST));
    store.resolve(&repository.with_tag(tag)).await.unwrap()
}

#[tokio::test]
async fn signatures_are_appended_and_the_same_one_is_not_written_twice() {
    let store = Memory::new();
    let (first, second) = (PrivateKey::generate(), PrivateKey::generate());
    signed(&store, &first).await;
    let two = signed(&store, &second).await;
    let again = signed(&store, &first).await;
    assert_eq!(again.digest, two.digest);

    let document = under_tag(&store).await;
    let manifest = document.manifest().unwrap();
    assert_eq!(manifest.layers.len(), 2);
    let config = fetch_small(&store, &manifest.config, MAX_CONFIG_SIZE)
        .await
        .unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let diff_ids: Vec<_> = manifest
        .layers
        .iter()
        .map(|l| l.digest.to_string())
        .collect();
    assert_eq!(config["rootfs"]["diff_ids"], serde_json::json!(diff_ids));
    assert_eq!(config["history"].as_array().unwrap().len(), 2);
    for (layer, key) in manifest.layers.iter().zip([first, second]) {
        let payload = fetch_small(&store, layer, 1024).await.unwrap();
        let signature = &layer.annotations[SIGNATURE_ANNOTATION];
        let signature = base64::decode(signature).unwrap();
        key.public_key().verify(&payload, &signature).unwrap();
    }
}

#[tokio::test]
async fn members_that_others_wrote_stay() {
    let store = Memory::new();
    let config = br#"{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]},"x":1}"#;
    let config_blob = Descriptor::of(IMAGE_CONFIG, config);
    store.push(&config_blob, &config.to_vec()).await.unwrap();
    let text = serde_json::json!({
        "schemaVersion": 2, "mediaType": media_type::MANIFEST, "config": config_blob, "layers": [],
        "annotations": {"who": "somebody"}, "more": [1],
    });
    let there = Document::parse(text.to_string().into_bytes(), None).unwrap();
    store
        .push(&there.descriptor(), &there.raw().to_vec())
        .await
        .unwrap();
    let repository: Reference = "registry.example/demo/model".parse().unwrap();
    let tag = repository.with_tag(legacy_tag(&Digest::sha256(MANIFEST)));
    store.tag(&there.descriptor(), &tag).await.unwrap();

    signed(&store, &PrivateKey::generate()).await;
    let document = under_tag(&store).await;
    let written: serde_json::Value = serde_json::from_slice(document.raw()).unwrap();
    assert_eq!(written["annotations"]["who"], "somebody");
    assert_eq!(written["more"], serde_json::json!([1]));
    let config = &document.manifest().unwrap().config;
    let config = fetch_small(&store, config, MAX_CONFIG_SIZE).await.unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&config).unwrap()["x"],
        1
    );
}
