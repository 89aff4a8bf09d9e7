//! No change of a byte is ever accepted, in what stands beside files: signature layers, certificates,
//! the model manifest that is signed, lock files.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use modelctl::model::{ModelManifest, Sha256};
use modelctl::oci::{Digest, Reference};
use modelctl::trust::certificate::Roots;
use modelctl::trust::lock::{Entry, Lock};
use modelctl::trust::oms::{Signer, Trusted, check_layer};
use modelctl::trust::{Bundle, PrivateKey};

use crate::support::certificates::{issuer, root, signer};
use crate::support::handmade::sha256;
use crate::support::signed::Signed;

/// The same bytes, with each of the lowest `bits` of every byte changed once.
fn flips(bytes: &[u8], bits: usize) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * bits).map(move |number| {
        let (at, bit) = (number / bits, number % bits);
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        (at, flipped)
    })
}

/// The model, its manifest's bytes, and their SHA-256.
fn model() -> (ModelManifest, Vec<u8>, Sha256) {
    let model = Signed::unsigned().model;
    let bytes = model.to_bytes();
    let digest = sha256(&bytes);
    (model, bytes, digest)
}

/// Each flip of a bundle is refused, unless it is read as the very same.
#[track_caller]
fn refuses_flips(bundle: &[u8], trusted: Trusted<'_>) {
    let (model, _, manifest) = model();
    let original = Bundle::parse(bundle).unwrap();
    let check = |bundle: &[u8]| check_layer(bundle, &[trusted], &model, manifest).is_ok();
    assert!(check(bundle));
    for (at, flipped) in flips(bundle, 1) {
        let same = Bundle::parse(&flipped).is_ok_and(|read| read == original);
        assert_eq!(check(&flipped), same, "byte {at}");
    }
}

#[test]
fn flipped_bytes_of_a_signature_layer_are_refused() {
    let key = PrivateKey::generate();
    let (model, _, manifest) = model();
    let bundle = Signer::new(key.clone()).sign_layer(&model, manifest);
    refuses_flips(&bundle.unwrap(), Trusted::Key(&key.public_key()));
}

#[test]
fn flipped_bytes_of_a_signature_with_certificates_are_refused() {
    let top = root(issuer("root", None));
    let middle = top.issue(issuer("middle", None));
    let leaf = middle.issue(signer("signer"));
    let key = PrivateKey::parse(leaf.key.as_bytes(), None).unwrap();
    let chain = vec![leaf.der.clone(), middle.der.clone()];
    let (model, _, manifest) = model();
    let signer = Signer::with_certificates(key, chain).unwrap();
    let bundle = signer.sign_layer(&model, manifest).unwrap();
    // 2030-01-01.
    let now = UNIX_EPOCH + Duration::from_secs(1_893_456_000);
    let roots = Roots::parse(top.pem.as_bytes(), now).unwrap();
    refuses_flips(&bundle, Trusted::Roots(&roots));
}

/// A signature over files is over the bytes of the model manifest, too.
#[test]
fn flipped_bytes_of_a_signed_model_manifest_are_refused() {
    let key = PrivateKey::generate();
    let (model, bytes, manifest) = model();
    let bundle = Signer::new(key.clone())
        .sign_layer(&model, manifest)
        .unwrap();
    let key = key.public_key();
    let mut read = 0;
    for (at, flipped) in flips(&bytes, 8) {
        let Ok(other) = ModelManifest::parse_alone(&flipped) else {
            continue;
        };
        read += 1;
        for model in [&other, &model] {
            let checked = check_layer(&bundle, &[Trusted::Key(&key)], model, sha256(&flipped));
            assert!(checked.is_err(), "byte {at}");
        }
    }
    assert!(
        read > 100,
        "only {read} of the changed manifests can be read"
    );
}

/// Whatever became of a lock file, it holds nothing but what was locked.
#[test]
fn flipped_bytes_of_a_lock_file_hold_no_other_digest() {
    let (locked, moved) = (Digest::sha256(b"locked"), Digest::sha256(b"moved"));
    let tagged: Reference = "registry.example/prod/mlp:v1".parse().unwrap();
    let pinned = tagged.clone().with_digest(moved);
    let mut lock = Lock::default();
    let entry = Entry {
        reference: tagged.clone(),
        digest: locked,
        signers: vec!["key 00".to_owned()],
        locked: SystemTime::UNIX_EPOCH,
    };
    lock.put("mlp".parse().unwrap(), entry, false).unwrap();
    lock.hold(&tagged, &locked).unwrap();
    let mut read = 0;
    for (at, flipped) in flips(lock.to_toml().as_bytes(), 8) {
        let Some(lock) = String::from_utf8(flipped)
            .ok()
            .and_then(|text| Lock::parse(&text).ok())
        else {
            continue;
        };
        read += 1;
        assert!(lock.hold(&tagged, &moved).is_err(), "byte {at}");
        assert!(lock.hold(&pinned, &moved).is_err(), "byte {at}");
        let holds = lock.hold(&tagged, &locked).is_ok();
        let named = lock
            .entries()
            .any(|(_, entry)| entry.digest == locked && entry.reference == tagged);
        assert_eq!(holds, named, "byte {at}");
    }
    assert!(
        read > 100,
        "only {read} of the changed lock files can be read"
    );
}
