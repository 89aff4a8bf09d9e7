//! The signature layer: made with the plan, checked against the model manifest alone.

use modelctl::ErrorKind;
use modelctl::model::{ModelManifest, Sha256};
use modelctl::oci::{Digest, annotation, media_type};
use modelctl::plan::{self, ArtifactPlan, LayerKind, LayerSigner, PlanOptions, PlannedLayer};
use modelctl::store::BlobSource as _;
use modelctl::trust::oms::{OmsError, Signature, Signed, Signer, Trusted, Verified, check_layer};
use modelctl::trust::{PrivateKey, PublicKey};
use tempfile::TempDir;

use super::key;
use crate::support::models::inline_sum;
use crate::support::plans::write;

const SIGNATURE: &str = ".modelctl/signatures/0.sig";

fn signer(key: PrivateKey) -> LayerSigner {
    let signer = Signer::new(key);
    LayerSigner::new(move |model, manifest| Ok(signer.sign_layer(model, manifest)?))
}

/// A split model with a file beside it.
fn planned(name: Option<&str>, signer: Option<LayerSigner>) -> ArtifactPlan {
    let folder = TempDir::new().unwrap();
    let model = inline_sum(&[("w", 400_000, 1), ("b", 2_000, 2)]);
    write(
        folder.path(),
        &[("m.onnx", model), ("sub/labels.txt", b"cat\n".to_vec())],
    );
    let options = PlanOptions {
        name: name.map(str::to_owned),
        signer,
        ..PlanOptions::default()
    };
    plan::build(folder.path(), &options).unwrap()
}

/// What a verifier has: the bundle, the model manifest, and the digest of its layer.
struct Found {
    bundle: Vec<u8>,
    model: ModelManifest,
    manifest: Sha256,
}

/// What a layer holds that needs no file.
fn content(layer: &PlannedLayer) -> Vec<u8> {
    let mut content = Vec::new();
    let mut reader = layer.content.open_at(0).unwrap();
    reader.read_to_end(&mut content).unwrap();
    content
}

impl Found {
    fn of(plan: &ArtifactPlan) -> Self {
        Self {
            bundle: content(&plan.layers[1]),
            model: plan.model_manifest.clone(),
            manifest: plan.layers[0].descriptor.digest.try_into().unwrap(),
        }
    }

    fn check(&self, key: &PublicKey) -> Result<Verified, OmsError> {
        check_layer(
            &self.bundle,
            &[Trusted::Key(key)],
            &self.model,
            self.manifest,
        )
    }
}

#[test]
fn signature_layer_stands_behind_the_model_manifest() {
    let plan = planned(None, Some(signer(key())));
    let [manifest, signature, rest @ ..] = plan.layers.as_slice() else {
        panic!("it has layers");
    };
    assert_eq!(manifest.kind, LayerKind::Manifest);
    assert_eq!(signature.kind, LayerKind::Signature);
    assert_eq!(signature.descriptor.media_type, media_type::LAYER_SIGNATURE);
    for key in [annotation::TITLE, annotation::FILEPATH] {
        assert_eq!(signature.descriptor.annotations[key], SIGNATURE);
    }
    assert_eq!(rest.len(), plan.model_manifest.layers.len());
    let unsigned = planned(None, None);
    assert_eq!(plan.model_manifest, unsigned.model_manifest);
    assert_eq!(plan.layers.len(), unsigned.layers.len() + 1);
}

/// The files are the originals, whatever layers they are in.
#[test]
fn signature_is_over_the_files_and_the_model_manifest() {
    let plan = planned(Some("mlp"), Some(signer(key())));
    let verified = Found::of(&plan).check(&key().public_key()).unwrap();
    assert_eq!(verified.statement.name, "mlp");
    let Signed::Named(resources) = &verified.statement.files else {
        panic!("it has names");
    };
    let names: Vec<&str> = resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    assert_eq!(
        names,
        [".modelctl/manifest.json", "m.onnx", "sub/labels.txt"]
    );
    let ignored: Vec<&str> = verified.statement.ignore_paths.iter().collect();
    let expected = [
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        ".modelctl/signatures",
    ];
    assert_eq!(ignored, expected);
    assert_eq!(verified.statement.further_ignore_paths().count(), 0);
    assert_eq!(
        Found::of(&planned(None, Some(signer(key()))))
            .check(&key().public_key())
            .unwrap()
            .statement
            .name,
        "model"
    );
}

/// RFC 6979: the nonce comes from key and message.
#[test]
fn same_key_and_files_give_the_same_digest() {
    let once = planned(None, Some(signer(key()))).manifest.digest();
    let again = planned(None, Some(signer(key()))).manifest.digest();
    assert_eq!(once, again);
    let other = planned(None, Some(signer(PrivateKey::generate())));
    assert_ne!(once, other.manifest.digest());
}

#[test]
fn a41_signature_of_another_model_is_refused() {
    let key = key().public_key();
    let mut found = Found::of(&planned(None, Some(signer(super::key()))));
    found.check(&key).unwrap();
    let refused = |found: &Found| {
        let error = found.check(&key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        error.to_string()
    };
    let right = found.model.clone();

    let extra = found.model.files[0].clone();
    found.model.files.push(modelctl::model::File {
        path: "zero".parse().unwrap(),
        ..extra
    });
    assert_eq!(
        refused(&found),
        "the signature is over another model: `zero` was not signed"
    );

    found.model = right.clone();
    let removed = found.model.files.remove(1);
    let expected = format!(
        "the signature is over another model: `{}` was signed and is missing",
        removed.path
    );
    assert_eq!(refused(&found), expected);

    found.model = right.clone();
    found.model.files[0].sha256 = Digest::sha256(b"another").try_into().unwrap();
    assert!(
        refused(&found)
            .starts_with("the signature is over another model: `m.onnx` has the SHA-256")
    );

    found.model = right;
    found.manifest = Digest::sha256(b"{}").try_into().unwrap();
    assert!(refused(&found).contains("`.modelctl/manifest.json` has the SHA-256"));
}

#[test]
fn many_differences_are_counted() {
    let found = Found::of(&planned(None, Some(signer(key()))));
    let key = key().public_key();
    let signature = Signature::parse(&found.bundle).unwrap();
    let verified = signature.verify(Trusted::Key(&key)).unwrap();
    let mut model = found.model.clone();
    for (number, file) in model.files.iter_mut().enumerate() {
        file.path = format!("renamed-{number}").parse().unwrap();
    }
    let error = verified.check_model(&model, found.manifest).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signature is over another model: `m.onnx` was signed and is missing, `renamed-0` was not signed, `renamed-1` was not signed and 1 more"
    );
}

#[test]
fn any_of_the_trusted_keys_may_have_signed() {
    let found = Found::of(&planned(None, Some(signer(key()))));
    let (own, other) = (key().public_key(), PrivateKey::generate().public_key());
    let check = |keys: &[&PublicKey]| {
        let trusted: Vec<Trusted<'_>> = keys.iter().map(|key| Trusted::Key(key)).collect();
        check_layer(&found.bundle, &trusted, &found.model, found.manifest)
    };
    check(&[&other, &own]).unwrap();
    assert!(matches!(
        check(&[&other]),
        Err(OmsError::OtherSigner { .. })
    ));
    assert!(matches!(check(&[]), Err(OmsError::OtherSigner { .. })));
}

#[test]
fn signer_that_fails_fails_the_plan() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), &[("x", vec![1])]);
    let options = PlanOptions {
        signer: Some(LayerSigner::new(|_, _| Err("no key today".into()))),
        ..PlanOptions::default()
    };
    let error = plan::build(folder.path(), &options).unwrap_err();
    assert_eq!(error.to_string(), "cannot sign the model: no key today");
}
