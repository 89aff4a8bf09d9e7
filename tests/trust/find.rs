//! Every signature of an artifact is found, in any place, and within bounds.

use std::ops::Range;

use modelctl::oci::{Descriptor, Digest, Document, Index, Manifest, media_type};
use modelctl::store::{BlobSource, Memory, Referrers, Storage};
use modelctl::trust::PrivateKey;
use modelctl::trust::check::{Form, Outcome, list};
use modelctl::trust::cosign::SIGN_PREDICATE;
use modelctl::trust::find::{FindError, MAX_SIGNATURES, Source, find};
use modelctl::trust::oms::PREDICATE_TYPE;
use modelctl::{ErrorKind, Result};

use super::{any, checked, checked_in};
use crate::support::scripted::Scripted;
use crate::support::signed::{CLAIM, Signed, cosign, payload, statement};
use crate::support::transport::anonymous;

/// A model with a signature of every form by one key.
fn every_form(key: &PrivateKey) -> Signed {
    let signed = Signed::with_layers(&[key]).signed_by(key);
    let digest = signed.digest();
    let signed = signed.legacy(&[key], &payload(&digest));
    signed.referrer(&statement(key, &digest, CLAIM), CLAIM)
}

const FORMS: [Form; 4] = [
    Form::ModelSigning,
    Form::CosignLegacy,
    Form::Cosign,
    Form::Attestation,
];

#[tokio::test]
async fn every_form_is_found_and_checked_in_every_place() {
    let key = PrivateKey::generate();
    let signed = every_form(&key);
    let report = checked(&signed, &any(&[&key])).await;
    for check in &report.checks {
        assert_eq!(check.outcome, Outcome::Valid, "{check}");
    }
    let forms: Vec<Form> = report.checks.iter().map(|check| check.form).collect();
    assert_eq!(forms, FORMS);
    assert_eq!(report.attestations(CLAIM).count(), 1);

    for has_referrers in [true, false] {
        let server = Scripted::serve(signed.honest(has_referrers), |_| None, None);
        let report = checked_in(&anonymous(&server), &signed, &any(&[&key])).await;
        let mut forms: Vec<Form> = report.checks.iter().map(|check| check.form).collect();
        forms.sort();
        let mut expected = FORMS;
        expected.sort();
        assert_eq!(forms, expected, "referrers: {has_referrers}");
        let mut outcomes = report.checks.iter().map(|check| check.outcome);
        assert!(outcomes.all(|outcome| outcome == Outcome::Valid));
    }
}

#[tokio::test]
async fn what_is_found_is_listed_without_a_key() {
    let key = PrivateKey::generate();
    let signed = every_form(&key);
    let memory = signed.memory().await;
    let found = find(&memory, &signed.document, Ok(signed.legacy.clone())).await;
    let report = list(&found.unwrap());
    let forms: Vec<Form> = report.checks.iter().map(|check| check.form).collect();
    assert_eq!(forms, FORMS);
    for check in &report.checks {
        assert_eq!(check.outcome, Outcome::Unchecked);
        assert_eq!(check.message, "no key was given");
        assert!(check.signer.is_none());
    }
}

#[tokio::test]
async fn other_referrers_are_listed_and_are_no_signatures() {
    let key = PrivateKey::generate();
    let mut signed = Signed::unsigned();
    let subject = signed.document.descriptor();
    let bundle = cosign(&key, &signed.digest());
    let layer = Descriptor::of("application/vnd.dev.sigstore.bundle.v0.3+json", &bundle);
    let other = Descriptor::of("application/spdx+json", b"[]");
    let manifest = |artifact_type: Option<&str>, layers: &[&Descriptor]| {
        Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: artifact_type.map(str::to_owned),
            config: Descriptor::of(media_type::EMPTY, b"{}"),
            layers: layers.iter().map(|layer| (*layer).clone()).collect(),
            subject: Some(subject.clone()),
            annotations: [].into(),
        })
    };
    let bundle_type = Some(layer.media_type.as_str());
    signed.attach(manifest(Some("application/spdx+json"), &[&other]), b"[]");
    signed.attach(manifest(bundle_type, &[&layer, &layer]), &bundle);
    signed.attach(manifest(bundle_type, &[]), &bundle);
    signed.attach(manifest(bundle_type, &[&other]), b"[]");
    let mut index = Index::new(vec![]);
    index.subject = Some(subject.clone());
    signed.attach(Document::from_index(index), b"{}");
    let report = checked(&signed, &any(&[&key])).await;
    assert_eq!((report.checks.len(), report.others.len()), (0, 5));

    // By its layer it is one, whatever it calls itself.
    signed.attach(manifest(None, &[&layer]), &bundle);
    let report = checked(&signed, &any(&[&key])).await;
    assert_eq!(report.checks[0].outcome, Outcome::Valid);
    assert_eq!(report.checks[0].form, Form::Cosign);
}

/// Security row A43.
#[tokio::test]
async fn a43_more_signatures_than_the_limit_are_an_error_whatever_the_others_say() {
    let key = PrivateKey::generate();
    let mut signed = Signed::with_layers(&[&key]);
    let digest = signed.digest();
    for count in 1..=MAX_SIGNATURES {
        let found = find(&signed.memory().await, &signed.document, Ok(None)).await;
        assert_eq!(found.unwrap().candidates.len(), count);
        let claim = format!("{CLAIM}/{count}");
        signed = signed.referrer(&statement(&key, &digest, &claim), &claim);
    }
    let found = find(&signed.memory().await, &signed.document, Ok(None)).await;
    let error = found.unwrap_err();
    assert_eq!(error, FindError::TooMany);
    assert_eq!(error.to_string(), "too many signatures (limit 50)");
}

/// Security row A43: sizes count before anything is fetched.
#[tokio::test]
async fn a43_signatures_that_are_large_together_are_not_fetched() {
    let signed = Signed::unsigned();
    let large = |number: u8| {
        let mut layer = Descriptor::of(
            "application/vnd.dev.sigstore.bundle.v0.3+json",
            &[number; 9],
        );
        layer.size = 100 << 20;
        Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: Some(layer.media_type.clone()),
            config: Descriptor::of(media_type::EMPTY, b"{}"),
            layers: vec![layer],
            subject: Some(signed.document.descriptor()),
            annotations: [].into(),
        })
    };
    let mut honest = signed.honest(true);
    for number in 0..50 {
        let referrer = large(number);
        honest.manifest(&referrer, &referrer.digest().to_string());
    }
    let server = Scripted::serve(honest, |_| None, None);
    let found = find(&anonymous(&server), &signed.document, Ok(None)).await;
    let error = found.unwrap_err();
    assert_eq!(
        error.to_string(),
        "signatures too large together (limit 32 MiB)"
    );
    assert!(!server.lines().iter().any(|line| line.contains("/blobs/")));
}

/// Security row A43: a registry that answers for ever is not listened to for ever.
#[tokio::test(start_paused = true)]
async fn a43_signatures_that_do_not_come_are_not_waited_for() {
    /// Every answer of it takes longer than anybody has.
    struct Mute(Memory);

    impl Storage for Mute {
        type Reader = <Memory as Storage>::Reader;

        async fn fetch(&self, _: &Descriptor) -> Result<Self::Reader> {
            std::future::pending().await
        }

        async fn fetch_range(&self, _: &Descriptor, _: Range<u64>) -> Result<Self::Reader> {
            std::future::pending().await
        }

        async fn exists(&self, _: &Descriptor) -> Result<bool> {
            std::future::pending().await
        }

        async fn push(&self, _: &Descriptor, _: &dyn BlobSource) -> Result<()> {
            std::future::pending().await
        }
    }

    impl Referrers for Mute {
        async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
            self.0.referrers(subject).await
        }
    }

    let key = PrivateKey::generate();
    for signed in [
        Signed::with_layers(&[&key]),
        Signed::unsigned().signed_by(&key),
    ] {
        let mute = Mute(signed.memory().await);
        let error = find(&mute, &signed.document, Ok(None)).await.unwrap_err();
        assert_eq!(error, FindError::TooSlow);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.to_string(),
            "the signatures have not come within 10 minutes"
        );
    }
}

#[tokio::test]
async fn sources_say_where_a_signature_is() {
    let key = PrivateKey::generate();
    let signed = every_form(&key);
    let report = checked(&signed, &any(&[&key])).await;
    let sources: Vec<String> = report.checks.iter().map(|c| c.source.to_string()).collect();
    let hex = signed.digest().hex();
    assert_eq!(sources[0], "layer `.modelctl/signatures/0.sig`");
    assert_eq!(sources[1], format!("layer 0 of tag `sha256-{hex}.sig`"));
    let manifest = signed.referrers[0].digest();
    assert_eq!(report.checks[2].source, Source::Referrer { manifest });
    let predicates = report.checks.iter().map(|c| c.predicate_type.as_deref());
    let expected = [
        Some(PREDICATE_TYPE),
        None,
        Some(SIGN_PREDICATE),
        Some(CLAIM),
    ];
    assert_eq!(predicates.collect::<Vec<_>>(), expected);
}
