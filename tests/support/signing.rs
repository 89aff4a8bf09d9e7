//! Signatures and attestations beside an artifact in the embedded registry, made with the library's
//! keys and pushed as plain manifests.

use modelctl::oci::{Descriptor, Digest, Document};
use modelctl::trust::{BUNDLE_V03, Bundle, Envelope, IN_TOTO, Material, PrivateKey};
use serde_json::{Value, json};

use super::embedded::Embedded;

/// The predicate type of a signature.
pub(crate) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
/// The predicate type of a smoke test that was run.
pub(crate) const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The manifest that a tag leads to.
pub(crate) fn resolve(registry: &Embedded, repository: &str, tag: &str) -> Descriptor {
    let reply = registry.ask("GET", format!("/v2/{repository}/manifests/{tag}"));
    let document = Document::parse(reply.is(200).body.clone(), None).unwrap();
    document.descriptor()
}

/// A bundle that says something about a digest.
pub(crate) fn bundle(key: &PrivateKey, about: &Digest, kind: &str, predicate: Value) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": about.hex()}}],
        "predicateType": kind,
        "predicate": predicate,
    });
    enclose(key, serde_json::to_vec(&statement).unwrap())
}

/// A bundle around a statement.
pub(crate) fn enclose(key: &PrivateKey, payload: Vec<u8>) -> Vec<u8> {
    let material = Material::PublicKey {
        hint: key.public_key().cosign_hint(),
        spki: None,
    };
    Bundle::new(material, Envelope::sign(key, IN_TOTO, payload)).to_vec()
}

/// The manifest that puts a bundle beside another manifest.
pub(crate) fn referrer(subject: &Descriptor, bundle: &[u8]) -> String {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": BUNDLE_V03,
        "config": Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [Descriptor::of(BUNDLE_V03, bundle)],
        "subject": subject,
    });
    manifest.to_string()
}

/// Puts a bundle beside a manifest that is in a registry.
pub(crate) fn attach(registry: &Embedded, repository: &str, subject: &Descriptor, bundle: &[u8]) {
    registry.push_blob(repository, b"{}");
    registry.push_blob(repository, bundle);
    let raw = referrer(subject, bundle);
    let digest = Digest::sha256(raw.as_bytes()).to_string();
    registry.push_manifest(repository, &digest, &raw).is(201);
}

/// Signs a manifest that is in a registry, as cosign 3 does.
pub(crate) fn sign(registry: &Embedded, repository: &str, subject: &Descriptor, key: &PrivateKey) {
    let signature = bundle(key, &subject.digest, SIGNATURE, json!({}));
    attach(registry, repository, subject, &signature);
}

/// The predicate of a smoke test that passed at a time, RFC 3339.
pub(crate) fn passed(at: &str) -> Value {
    let output = json!({"name": "score", "dtype": "float", "shape": [1, 1], "result": "equal"});
    json!({
        "result": "PASSED",
        "configuration": [],
        "passedTests": ["model.onnx#a"],
        "urn:modelctl:smoke-test:v1": {
            "startedOn": at,
            "runtime": {"name": "ONNX Runtime", "version": "1.22.0", "threads": 1},
            "platform": {"os": "linux", "architecture": "x86_64"},
            "cases": [{"case": "a", "graph": "model.onnx", "micros": 1, "outputs": [output]}],
        },
    })
}
