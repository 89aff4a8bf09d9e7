use super::*;
use crate::trust::{IN_TOTO, PrivateKey};

fn bundle(key: &PrivateKey) -> Bundle {
    let material = Material::PublicKey {
        hint: key.public_key().cosign_hint(),
        spki: None,
    };
    Bundle::new(
        material,
        Envelope::sign(key, IN_TOTO, b"{\"a\":1}".to_vec()),
    )
}

#[test]
fn bundle_survives_a_round_trip() {
    let key = PrivateKey::generate();
    let envelope = bundle(&key).envelope;
    let materials = [
        bundle(&key).material,
        Material::Certificate(vec![1, 2, 3]),
        Material::Chain(vec![vec![1], vec![2]]),
    ];
    for material in materials {
        let bundle = Bundle::new(material, envelope.clone());
        assert_eq!(Bundle::parse(&bundle.to_vec()).unwrap(), bundle);
    }
}

#[test]
fn what_differs_from_the_format_is_refused() {
    let text = String::from_utf8(bundle(&PrivateKey::generate()).to_vec()).unwrap();
    let changes = [
        (".v0.3+", ".v0.2+"),
        (
            "\"verificationMaterial\":{",
            "\"verificationMaterial\":{\"more\":1,",
        ),
        (
            "\"verificationMaterial\":{",
            "\"verificationMaterial\":{\"certificate\":{\"rawBytes\":\"AA==\"},",
        ),
        ("\"publicKey\"", "\"publicKay\""),
        ("\"signatures\":[", "\"signatures\":[{\"sig\":\"AA==\"},"),
        ("\"sig\":\"", "\"sig\":\"!"),
        ("\"payload\":\"", "\"payload\":\"?"),
        ("{\"mediaType\"", "{\"mediaType\":\"x\",\"mediaType\""),
        ("\"dsseEnvelope\"", "\"messageSignature\""),
    ];
    for (from, to) in changes {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Bundle::parse(changed.as_bytes()).is_err(), "{from} → {to}");
    }
    assert!(Bundle::parse(b"").is_err());
    let large = vec![b' '; MAX_BUNDLE_SIZE as usize + 1];
    assert!(matches!(Bundle::parse(&large), Err(BundleError::TooLarge)));
}

/// No change of a single byte leaves a bundle that this key has signed over something else.
#[test]
fn a_flipped_byte_never_changes_what_is_accepted() {
    let key = PrivateKey::generate();
    let original = bundle(&key);
    let bytes = original.to_vec();
    for at in 0..bytes.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= flip;
            let Ok(read) = Bundle::parse(&flipped) else {
                continue;
            };
            let accepted = read.envelope.verify(&key.public_key()).is_ok();
            assert!(!accepted || read.envelope == original.envelope, "byte {at}");
        }
    }
}
