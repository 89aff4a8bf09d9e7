//! No change of a byte is ever accepted: in transit it has another digest, and where the registry
//! gives it a new one, nobody has signed it.

use std::ops::Range;

use modelctl::Result;
use modelctl::oci::{Descriptor, Digest, Document, media_type};
use modelctl::store::{BlobSource, Referrers, Storage};
use modelctl::trust::check::{Outcome, Report, check};
use modelctl::trust::cosign::SIGN_PREDICATE;
use modelctl::trust::find::find;
use modelctl::trust::{Bundle, PrivateKey};

use super::any;
use crate::support::handmade::Blobs;
use crate::support::signed::{Signed, cosign, payload, referrer};

/// A registry that says what a test wants, with blobs that are not what their digests say.
#[derive(Default)]
struct Liar {
    blobs: Blobs,
    listed: Vec<Descriptor>,
}

impl Liar {
    fn put(&mut self, name: Digest, bytes: &[u8]) {
        self.blobs.0.insert(name, bytes.to_vec());
    }

    /// Keeps a referrer under a digest, and lists it for whatever it is asked for.
    fn list(&mut self, name: Digest, size: usize, bytes: &[u8]) {
        self.put(name, bytes);
        let listed = Descriptor::new(media_type::MANIFEST, name, size as u64);
        self.listed = vec![listed];
    }

    async fn checked(
        &self,
        document: &Document,
        legacy: Option<Document>,
        key: &PrivateKey,
    ) -> Report {
        let found = find(self, document, Ok(legacy)).await.unwrap();
        check(&found, &any(&[key]), None)
    }

    async fn accepts(&self, document: &Document, key: &PrivateKey) -> bool {
        let report = self.checked(document, None, key).await;
        let is_ok = report.verdict(&any(&[key])).is_ok();
        let mut outcomes = report.checks.iter().map(|check| check.outcome);
        assert_eq!(is_ok, outcomes.any(|outcome| outcome == Outcome::Valid));
        is_ok
    }
}

impl Storage for Liar {
    type Reader = <Blobs as Storage>::Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        self.blobs.fetch(blob).await
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        self.blobs.fetch_range(blob, range).await
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        self.blobs.exists(blob).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        self.blobs.push(expected, content).await
    }
}

impl Referrers for Liar {
    async fn referrers(&self, _: &Digest) -> Result<Vec<Descriptor>> {
        Ok(self.listed.clone())
    }
}

/// The same bytes, each changed once.
fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|at| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        (at, flipped)
    })
}

struct Scene {
    key: PrivateKey,
    document: Document,
    bundle: Vec<u8>,
    referrer: Document,
}

impl Scene {
    fn new() -> Self {
        let key = PrivateKey::generate();
        let document = Signed::unsigned().document;
        let bundle = cosign(&key, &document.digest());
        let referrer = referrer(&document.descriptor(), &bundle, SIGN_PREDICATE);
        Self {
            key,
            document,
            bundle,
            referrer,
        }
    }

    fn honest(&self) -> Liar {
        let mut liar = Liar::default();
        liar.put(Digest::sha256(&self.bundle), &self.bundle);
        let raw = self.referrer.raw();
        liar.list(self.referrer.digest(), raw.len(), raw);
        liar
    }
}

#[tokio::test]
async fn flipped_bytes_of_a_bundle_are_refused() {
    let scene = Scene::new();
    assert!(scene.honest().accepts(&scene.document, &scene.key).await);
    let original = Bundle::parse(&scene.bundle).unwrap();
    for (at, flipped) in flips(&scene.bundle) {
        let mut liar = scene.honest();
        liar.put(Digest::sha256(&scene.bundle), &flipped);
        let accepted = liar.accepts(&scene.document, &scene.key).await;
        assert!(!accepted, "byte {at} in transit");

        let again = referrer(&scene.document.descriptor(), &flipped, SIGN_PREDICATE);
        let mut liar = Liar::default();
        liar.put(Digest::sha256(&flipped), &flipped);
        liar.list(again.digest(), again.raw().len(), again.raw());
        let accepted = liar.accepts(&scene.document, &scene.key).await;
        // The hint is outside of what is signed.
        let same = Bundle::parse(&flipped).is_ok_and(|read| read.envelope == original.envelope);
        assert_eq!(accepted, same, "byte {at} with a new digest");
    }
}

#[tokio::test]
async fn flipped_bytes_of_a_referrer_are_refused() {
    let scene = Scene::new();
    let original = scene.referrer.manifest().unwrap();
    for (at, flipped) in flips(scene.referrer.raw()) {
        let mut liar = scene.honest();
        liar.list(scene.referrer.digest(), flipped.len(), &flipped);
        let accepted = liar.accepts(&scene.document, &scene.key).await;
        assert!(!accepted, "byte {at} in transit");

        let mut liar = scene.honest();
        liar.list(Digest::sha256(&flipped), flipped.len(), &flipped);
        let accepted = liar.accepts(&scene.document, &scene.key).await;
        let same = Document::parse(flipped, None).is_ok_and(|read| {
            let manifest = read.manifest().unwrap();
            let layers = |layers: &[Descriptor]| {
                let parts = layers.iter().map(|layer| (layer.digest, layer.size));
                parts.collect::<Vec<_>>()
            };
            manifest.subject == original.subject
                && layers(&manifest.layers) == layers(&original.layers)
        });
        assert!(!accepted || same, "byte {at} with a new digest");
    }
}

/// The signatures of a manifest hold for none that differs from it, even if they are listed for it
/// and their own manifests are rewritten.
#[tokio::test]
async fn flipped_bytes_of_a_manifest_are_refused() {
    let scene = Scene::new();
    let legacy = Signed::unsigned().legacy(&[&scene.key], &payload(&scene.document.digest()));
    let mut read = 0;
    for (at, flipped) in flips(scene.document.raw()) {
        let Ok(flipped) = Document::parse(flipped, None) else {
            continue;
        };
        read += 1;
        assert!(
            !scene.honest().accepts(&flipped, &scene.key).await,
            "byte {at}"
        );
        let again = referrer(&flipped.descriptor(), &scene.bundle, SIGN_PREDICATE);
        let mut liar = scene.honest();
        for (descriptor, bytes) in &legacy.blobs {
            liar.put(descriptor.digest, bytes);
        }
        liar.list(again.digest(), again.raw().len(), again.raw());
        let report = liar.checked(&flipped, legacy.legacy.clone(), &scene.key);
        let report = report.await;
        assert_eq!(report.checks.len(), 2);
        let mut outcomes = report.checks.iter().map(|check| check.outcome);
        assert!(
            outcomes.all(|outcome| outcome == Outcome::Invalid),
            "byte {at}"
        );
    }
    assert!(
        read > 100,
        "only {read} of the changed manifests can be read"
    );
}

#[tokio::test]
async fn flipped_bytes_of_a_legacy_signature_are_refused() {
    let scene = Scene::new();
    let payload = payload(&scene.document.digest());
    let signed = Signed::unsigned().legacy(&[&scene.key], &payload);
    let manifest = signed.legacy.clone().unwrap();
    let original = manifest.manifest().unwrap().layers[0].clone();
    let mut liar = Liar::default();
    for (descriptor, bytes) in &signed.blobs {
        liar.put(descriptor.digest, bytes);
    }
    let signers = any(&[&scene.key]);
    for (at, flipped) in flips(manifest.raw()) {
        let Ok(flipped) = Document::parse(flipped, None) else {
            continue;
        };
        let Ok(read) = flipped.manifest() else {
            continue;
        };
        let same = read.layers == [original.clone()];
        let report = liar.checked(&scene.document, Some(flipped.clone()), &scene.key);
        assert_eq!(report.await.verdict(&signers).is_ok(), same, "byte {at}");
    }
    for (at, flipped) in flips(&payload) {
        let changed = Signed::unsigned().legacy(&[&scene.key], &flipped);
        let mut layers = manifest.manifest().unwrap().clone();
        layers.layers[0].digest = Digest::sha256(&flipped);
        let renamed = Document::from_manifest(layers);
        let mut liar = Liar::default();
        for (descriptor, bytes) in &changed.blobs {
            liar.put(descriptor.digest, bytes);
        }
        let report = liar.checked(&scene.document, Some(renamed), &scene.key);
        assert!(report.await.verdict(&signers).is_err(), "byte {at}");
    }
}
