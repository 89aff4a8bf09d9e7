//! Signatures that other programs have made.

use modelctl::oci::{Descriptor, Document};
use modelctl::trust::Bundle;
use modelctl::trust::check::{Form, Outcome, Signer, Signers, check};
use modelctl::trust::cosign::{SIGNATURE_ANNOTATION, SIMPLE_SIGNING, legacy_tag};
use modelctl::trust::find::{Candidate, Content, Found, Source};

use super::{parsed, vector_key, verdict};
use crate::support::signed::referrer;

const BUNDLE: &[u8] = include_bytes!("../vectors/cosign/v3-bundle.json");
const REFERRER: &[u8] = include_bytes!("../vectors/cosign/v3-referrer-manifest.json");
const INDEX: &[u8] = include_bytes!("../vectors/cosign/v3-fallback-index.json");
const LEGACY: &[u8] = include_bytes!("../vectors/cosign/legacy-manifest.json");
const PAYLOAD: &[u8] = include_bytes!("../vectors/cosign/legacy-payload.json");

/// What was signed: its manifest is not among the vectors.
fn subject() -> Descriptor {
    serde_json::from_slice(include_bytes!("../vectors/cosign/subject.json")).unwrap()
}

fn found(content: Content) -> Found {
    Found {
        artifact: subject(),
        model_manifest: None,
        candidates: vec![Candidate {
            source: Source::ReferrerList,
            blob: None,
            claimed: None,
            content: Ok(content),
        }],
        others: Vec::new(),
    }
}

fn signature(layer: &Descriptor) -> Vec<u8> {
    use base64::Engine as _;
    let text = &layer.annotations[SIGNATURE_ANNOTATION];
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

#[test]
fn signatures_of_cosign_are_valid_over_what_was_signed_only() {
    let signers = Signers::any([Signer::Key(vector_key())]).unwrap();
    let contents = || {
        let bundle = Box::new(Bundle::parse(BUNDLE).unwrap());
        let legacy = parsed(LEGACY);
        let layer = &legacy.manifest().unwrap().layers[0];
        assert_eq!(layer.media_type, SIMPLE_SIGNING);
        [
            (
                Form::Cosign,
                Content::Bundle {
                    bundle,
                    raw: BUNDLE.to_vec(),
                },
            ),
            (
                Form::CosignLegacy,
                Content::Legacy {
                    has_certificate: false,
                    payload: PAYLOAD.to_vec(),
                    signature: signature(layer),
                },
            ),
        ]
    };
    for (form, content) in contents() {
        let report = check(&found(content), &signers, None);
        assert_eq!(
            report.checks[0].outcome,
            Outcome::Valid,
            "{}",
            report.checks[0]
        );
        assert_eq!(report.checks[0].form, form);
        assert_eq!(verdict(&report, &signers), "ok");
    }
    for (_, content) in contents() {
        let mut found = found(content);
        found.artifact = Descriptor::of(subject().media_type, b"another");
        let report = check(&found, &signers, None);
        assert_eq!(report.checks[0].outcome, Outcome::Invalid);
    }
}

/// What cosign pushes beside an artifact, byte for byte but for the time of creation.
#[test]
fn manifests_of_cosign_are_those_that_are_looked_for() {
    let cosign = parsed(REFERRER);
    let (mut ours, theirs) = (
        referrer(&subject(), BUNDLE, "https://sigstore.dev/cosign/sign/v1")
            .manifest()
            .unwrap()
            .clone(),
        cosign.manifest().unwrap(),
    );
    ours.annotations = theirs.annotations.clone();
    assert_eq!(
        Document::from_manifest(ours).raw(),
        REFERRER.trim_ascii_end()
    );
    let index = parsed(INDEX);
    let modelctl::oci::Kind::Index(index) = index.kind() else {
        panic!("the fallback tag leads to an index");
    };
    assert_eq!(index.manifests[0].digest, cosign.digest());
    let tag = legacy_tag(&subject().digest).to_string();
    assert_eq!(tag, format!("sha256-{}.sig", subject().digest.hex()));
}
