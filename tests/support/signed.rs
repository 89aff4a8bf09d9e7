//! A small model, and signatures of every form over it.

use std::fs;
use std::path::Path;

use modelctl::model::{Role, Sha256};
use modelctl::oci::{Descriptor, Digest, Document, Index, Manifest, media_type};
use modelctl::store::{Memory, Storage as _};
use modelctl::trust::cosign::{
    PREDICATE_ANNOTATION, SIGN_PREDICATE, SIGNATURE_ANNOTATION, SIMPLE_SIGNING, SimpleSigning,
    legacy_tag,
};
use modelctl::trust::oms::Signer;
use modelctl::trust::{
    BUNDLE_V03, Bundle, Envelope, IN_TOTO, Material, PrivateKey, Statement, Subject,
};
use serde_json::json;

use super::handmade::{Artifact, noise, sha256};
use super::scripted::Honest;

/// The config of every manifest here.
const EMPTY: &[u8] = b"{}";
/// The predicate of some attestation.
pub(crate) const CLAIM: &str = "https://example.com/claim/v1";

/// A model in a registry, or wherever a test puts its blobs.
pub(crate) struct Signed {
    pub(crate) document: Document,
    pub(crate) model: modelctl::model::ModelManifest,
    pub(crate) blobs: Vec<(Descriptor, Vec<u8>)>,
    /// The manifests that refer to it.
    pub(crate) referrers: Vec<Document>,
    /// What is under the legacy tag.
    pub(crate) legacy: Option<Document>,
}

/// What `weights.bin` of the model holds.
pub(crate) fn weights() -> Vec<u8> {
    noise(9, 3000)
}

impl Signed {
    /// The model, with a signature layer by each of some keys.
    pub(crate) fn with_layers(keys: &[&PrivateKey]) -> Self {
        let mut artifact = Artifact::empty();
        let layer = artifact.layer(media_type::LAYER_WEIGHTS, "weights.bin", &weights());
        artifact.file("weights.bin", Role::Weights, &[(layer, 0, 3000)]);
        let manifest = sha256(&artifact.model.to_bytes());
        for (index, key) in keys.iter().enumerate() {
            let signer = Signer::new((*key).clone());
            let bundle = signer.sign_layer(&artifact.model, manifest).unwrap();
            let path = format!(".modelctl/signatures/{index}.sig");
            artifact.layer(media_type::LAYER_SIGNATURE, &path, &bundle);
        }
        let (blobs, document) = artifact.finish();
        let blobs = blobs.0.into_values();
        Self {
            document,
            model: artifact.model,
            blobs: blobs.map(|bytes| blob("a/b", &bytes)).collect(),
            referrers: Vec::new(),
            legacy: None,
        }
    }

    /// The model, which nobody has signed.
    pub(crate) fn unsigned() -> Self {
        Self::with_layers(&[])
    }

    /// Its digest.
    pub(crate) fn digest(&self) -> Digest {
        self.document.digest()
    }

    /// The same with a bundle beside it, as cosign puts it there.
    pub(crate) fn referrer(mut self, bundle: &[u8], predicate: &str) -> Self {
        let referrer = referrer(&self.document.descriptor(), bundle, predicate);
        self.attach(referrer, bundle);
        self
    }

    /// The same with any manifest that refers to it, and the blob of that.
    pub(crate) fn attach(&mut self, referrer: Document, bytes: &[u8]) {
        self.blobs.push(blob("a/b", bytes));
        self.blobs.push(blob("a/b", EMPTY));
        self.referrers.push(referrer);
    }

    /// The same with a signature of cosign 3.
    pub(crate) fn signed_by(self, key: &PrivateKey) -> Self {
        let bundle = cosign(key, &self.digest());
        self.referrer(&bundle, SIGN_PREDICATE)
    }

    /// The same with a legacy signature of each key over a payload.
    pub(crate) fn legacy(mut self, keys: &[&PrivateKey], payload: &[u8]) -> Self {
        let layers = keys.iter().map(|key| {
            let mut layer = Descriptor::of(SIMPLE_SIGNING, payload);
            let signature = base64(&key.sign(payload));
            layer
                .annotations
                .insert(SIGNATURE_ANNOTATION.to_owned(), signature);
            layer
        });
        self.legacy = Some(manifest(layers.collect(), None, None));
        self.blobs.push(blob("a/b", payload));
        self.blobs.push(blob("a/b", EMPTY));
        self
    }

    /// All of it in memory: blobs, manifests, referrers.
    pub(crate) async fn memory(&self) -> Memory {
        let memory = Memory::new();
        for (descriptor, bytes) in &self.blobs {
            memory.push(descriptor, bytes).await.unwrap();
        }
        for document in [&self.document].into_iter().chain(&self.referrers) {
            let bytes = document.raw().to_vec();
            memory.push(&document.descriptor(), &bytes).await.unwrap();
        }
        memory
    }

    /// All of it in a registry, the model under the tag `v1`. Where that keeps no list of referrers,
    /// they are under the fallback tag.
    pub(crate) fn fill(&self, honest: &mut Honest) {
        for (descriptor, bytes) in &self.blobs {
            let digest = descriptor.digest.to_string();
            honest.blobs.insert(digest, bytes.clone());
        }
        honest.manifest(&self.document, "v1");
        for referrer in &self.referrers {
            honest.manifest(referrer, &referrer.digest().to_string());
        }
        let tag = legacy_tag(&self.digest()).to_string();
        if let Some(legacy) = &self.legacy {
            honest.manifest(legacy, &tag);
        }
        if !honest.has_referrers && !self.referrers.is_empty() {
            let entries = self.referrers.iter().map(Document::descriptor);
            let index = Document::from_index(Index::new(entries.collect()));
            honest.manifest(&index, tag.trim_end_matches(".sig"));
        }
    }

    /// All of it in an honest registry.
    pub(crate) fn honest(&self, has_referrers: bool) -> Honest {
        let mut honest = Honest {
            has_referrers,
            ..Honest::default()
        };
        self.fill(&mut honest);
        honest
    }
}

/// A manifest that refers to another, with a bundle in it.
pub(crate) fn referrer(subject: &Descriptor, bundle: &[u8], predicate: &str) -> Document {
    let layer = Descriptor::of(BUNDLE_V03, bundle);
    let mut subject = subject.clone();
    subject.artifact_type = None;
    manifest(vec![layer], Some(subject), Some(predicate))
}

fn manifest(
    layers: Vec<Descriptor>,
    subject: Option<Descriptor>,
    predicate: Option<&str>,
) -> Document {
    let annotation = |text: &str| (PREDICATE_ANNOTATION.to_owned(), text.to_owned());
    Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: subject.as_ref().map(|_| BUNDLE_V03.to_owned()),
        config: Descriptor::of(media_type::EMPTY, EMPTY),
        layers,
        subject,
        annotations: predicate.map(annotation).into_iter().collect(),
    })
}

/// A bundle of cosign 3 over a manifest.
pub(crate) fn cosign(key: &PrivateKey, manifest: &Digest) -> Vec<u8> {
    statement(key, manifest, SIGN_PREDICATE)
}

/// A bundle with any statement about a manifest.
pub(crate) fn statement(key: &PrivateKey, manifest: &Digest, predicate: &str) -> Vec<u8> {
    let subject = Subject::new(Sha256::try_from(*manifest).unwrap());
    let statement = Statement::new(subject, predicate, json!({}));
    bundle(key, IN_TOTO, statement.to_vec())
}

/// A bundle over any payload.
pub(crate) fn bundle(key: &PrivateKey, payload_type: &str, payload: Vec<u8>) -> Vec<u8> {
    let hint = key.public_key().cosign_hint();
    let material = Material::PublicKey { hint, spki: None };
    Bundle::new(material, Envelope::sign(key, payload_type, payload)).to_vec()
}

/// The payload of a legacy signature.
pub(crate) fn payload(manifest: &Digest) -> Vec<u8> {
    SimpleSigning::new("registry.example/m", *manifest).to_vec()
}

/// Writes the public half of a key.
pub(crate) fn write_key(path: &Path, key: &PrivateKey) {
    fs::write(path, key.public_key().to_pem()).unwrap();
}

fn blob(media_type: &str, bytes: &[u8]) -> (Descriptor, Vec<u8>) {
    (Descriptor::of(media_type, bytes), bytes.to_vec())
}

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}
