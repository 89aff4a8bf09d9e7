//! Whose signatures count, and how often. Security row A42.

use modelctl::trust::PrivateKey;
use modelctl::trust::check::{Form, Signer, Signers};

use super::{any, checked, verdict, verdict_of};
use crate::support::signed::{CLAIM, Signed, payload, statement};

fn signer(key: &PrivateKey) -> Signer {
    Signer::Key(key.public_key())
}

#[test]
fn a42_threshold_is_at_least_one_and_can_be_reached() {
    let key = PrivateKey::generate();
    let refused = |threshold, keys: &[&PrivateKey]| {
        let signers = keys.iter().copied().map(signer);
        Signers::at_least(threshold, signers)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(0, &[&key]),
        "the threshold is 0: at least one signer has to have signed"
    );
    assert_eq!(refused(1, &[]), "no signer is named");
    assert_eq!(
        refused(2, &[&key, &key]),
        "the threshold is 2, and there are 1 different signers"
    );
}

/// One key in two files is one signer, and two signatures of it are one.
#[tokio::test]
async fn a42_a_key_counts_once_toward_the_threshold() {
    let [first, second] = [PrivateKey::generate(), PrivateKey::generate()];
    let signed = Signed::with_layers(&[&first]).signed_by(&first);
    let digest = signed.digest();
    let signed = signed.legacy(&[&first, &first], &payload(&digest));
    let both = Signers::all([signer(&first), signer(&second), signer(&first)]).unwrap();
    assert_eq!(both.threshold(), 2);
    let report = checked(&signed, &both).await;
    assert_eq!(report.checks.len(), 4);
    assert_eq!(
        verdict(&report, &both),
        format!(
            "signature-missing: no signature found for `D` by key {}",
            second.public_key().id()
        )
    );
    let signed = signed.signed_by(&second);
    assert_eq!(verdict_of(&signed, &both).await, "ok");
    let one = Signers::at_least(1, [signer(&second)]).unwrap();
    assert_eq!(verdict_of(&signed, &one).await, "ok");
}

#[tokio::test]
async fn a_valid_signature_is_enough_whatever_stands_beside_it() {
    let [first, second] = [PrivateKey::generate(), PrivateKey::generate()];
    let signed = Signed::unsigned().signed_by(&second).signed_by(&first);
    let signed = signed.referrer(b"{}", "https://sigstore.dev/cosign/sign/v1");
    assert_eq!(verdict_of(&signed, &any(&[&first])).await, "ok");
}

#[tokio::test]
async fn an_attestation_is_no_signature() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned();
    let digest = signed.digest();
    for claimed in [CLAIM, "https://sigstore.dev/cosign/sign/v1"] {
        let signed = Signed::unsigned().referrer(&statement(&key, &digest, CLAIM), claimed);
        let signers = any(&[&key]);
        assert_eq!(
            verdict_of(&signed, &signers).await,
            "signature-missing: no signature found for `D`",
            "{claimed}"
        );
        assert_eq!(
            checked(&signed, &signers).await.attestations(CLAIM).count(),
            1
        );
    }
    // Not even one that is spelt almost alike.
    let near = "https://sigstore.dev/cosign/sign/v1/";
    let signed = Signed::unsigned().referrer(&statement(&key, &digest, near), near);
    let verdict = verdict_of(&signed, &any(&[&key])).await;
    assert!(verdict.starts_with("signature-missing"), "{verdict}");
}

#[tokio::test]
async fn a_form_that_is_not_accepted_does_not_count() {
    let key = PrivateKey::generate();
    let signed = Signed::with_layers(&[&key]);
    let signers = any(&[&key]).in_forms([Form::Cosign]);
    assert_eq!(
        verdict_of(&signed, &signers).await,
        "signature-invalid: signature invalid for `D`: layer `.modelctl/signatures/0.sig`: its form, \
         model-signing, is not accepted: it does not prove when it was made, nor the config, the \
         annotations and the graphs without weights"
    );
    // Attestations never count, even where somebody lists them as a form.
    let digest = signed.digest();
    let signed = Signed::unsigned().referrer(&statement(&key, &digest, CLAIM), CLAIM);
    let signers = any(&[&key]).in_forms([Form::Attestation, Form::Unknown]);
    let verdict = verdict_of(&signed, &signers).await;
    assert!(verdict.starts_with("signature-missing"), "{verdict}");
}
