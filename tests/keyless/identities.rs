//! Who may have signed, and over what: identities against found bundles. Security rows A40 and A41.

use modelctl::oci::{Descriptor, Digest};
use modelctl::trust::check::{Form, Report, Signer, Signers, check};
use modelctl::trust::find::{Candidate, Content, Found, Source};
use modelctl::trust::policy::{Identity, Pattern};
use modelctl::trust::{Bundle, PrivateKey};

use super::{PREDICATE, SUBJECT, WORKFLOW, WORKFLOW_ISSUER, root, vector};

fn identity(identity: &str, issuer: &str) -> Signer {
    Signer::Identity(Identity {
        identity: Pattern::new(identity),
        issuer: issuer.to_owned(),
    })
}

fn workflow(identity: &str) -> Signers {
    let signers = Signers::any([self::identity(identity, WORKFLOW_ISSUER)]).unwrap();
    signers.trusting(root("trusted-root"))
}

/// An artifact, by its digest, to which a bundle refers.
fn found(artifact: &str, content: Content) -> Found {
    let digest: Digest = artifact.parse().unwrap();
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    Found {
        artifact: Descriptor::new(manifest, digest, 100),
        model_manifest: None,
        candidates: vec![Candidate {
            source: Source::Referrer { manifest: digest },
            blob: None,
            claimed: Some(PREDICATE.to_owned()),
            content: Ok(content),
        }],
        others: Vec::new(),
    }
}

fn bundle(name: &str) -> Content {
    let raw = vector(name);
    Content::Bundle {
        bundle: Box::new(Bundle::parse(&raw).unwrap()),
        raw,
    }
}

fn checked(artifact: &str, name: &str, signers: &Signers) -> Report {
    check(&found(artifact, bundle(name)), signers, None)
}

fn outcome(report: &Report) -> String {
    let check = &report.checks[0];
    format!("{}: {check}", check.outcome.as_str())
}

#[test]
fn an_attestation_by_a_trusted_identity_is_valid_and_no_signature() {
    let patterns = [
        WORKFLOW,
        "https://github.com/prefix-dev/*/.github/workflows/*@refs/heads/*",
        "https://github.com/prefix-dev/**",
    ];
    for pattern in patterns {
        let signers = workflow(pattern);
        let report = checked(SUBJECT, "rekor1", &signers);
        assert_eq!(
            outcome(&report),
            format!(
                "valid: by {WORKFLOW:?} (issuer {WORKFLOW_ISSUER:?}) at 2025-09-01T12:13:59Z, over a claim \
                 about the manifest; does not prove that the claim is true"
            )
        );
        assert_eq!(report.checks[0].form, Form::Attestation);
        assert_eq!(report.attestations(PREDICATE).count(), 1);
        let verdict = report.verdict(&signers).unwrap_err();
        assert_eq!(verdict.code(), "signature-missing");
        let json = serde_json::to_value(&report.checks[0]).unwrap();
        assert_eq!(json["certificate"]["identity"], WORKFLOW);
        assert_eq!(json["certificate"]["signedAt"], "2025-09-01T12:13:59Z");
        assert_eq!(json["signer"]["identity"]["identity"], pattern);
    }
}

#[test]
fn somebody_else_is_refused() {
    let begins = WORKFLOW.trim_end_matches("main");
    let rows = [
        ("https://github.com/prefix-dev/other", WORKFLOW_ISSUER),
        // It only begins, or ends, like the identity.
        (begins, WORKFLOW_ISSUER),
        (
            "https://github.com/prefix-dev/sigstore-example/*",
            WORKFLOW_ISSUER,
        ),
        (&WORKFLOW[1..], WORKFLOW_ISSUER),
        ("HTTPS://github.com/prefix-dev/**", WORKFLOW_ISSUER),
        ("", WORKFLOW_ISSUER),
        (WORKFLOW, "https://token.actions.githubusercontent.com/"),
        (WORKFLOW, "https://token.actions.githubusercontent"),
        ("**", "https://accounts.example"),
        ("**", ""),
    ];
    for (pattern, issuer) in rows {
        let signers = Signers::any([identity(pattern, issuer)]).unwrap();
        let signers = signers.trusting(root("trusted-root"));
        let report = checked(SUBJECT, "rekor1", &signers);
        assert_eq!(
            outcome(&report),
            format!(
                "other-signer: it is by {WORKFLOW:?} (issuer {WORKFLOW_ISSUER:?}) at 2025-09-01T12:13:59Z, \
                 who is none of the signers"
            ),
            "{pattern} {issuer}"
        );
        assert!(report.verdict(&signers).is_err());
    }
}

#[test]
fn a41_a_signature_over_another_artifact_is_refused() {
    let other = SUBJECT.replacen("54", "55", 1);
    let signers = workflow(WORKFLOW);
    let report = checked(&other, "rekor1", &signers);
    assert_eq!(
        outcome(&report),
        format!("invalid: it is over another manifest, {SUBJECT:?}")
    );
    assert!(report.verdict(&signers).is_err());
    assert_eq!(report.attestations(PREDICATE).count(), 0);
}

#[test]
fn a40_what_cannot_be_checked_is_not_trusted() {
    let signers = Signers::any([identity(WORKFLOW, WORKFLOW_ISSUER)]).unwrap();
    let report = checked(SUBJECT, "rekor1", &signers);
    let expected =
        "unchecked: cannot be checked: there is no trusted root that vouches for certificates";
    assert_eq!(outcome(&report), expected);
    assert_eq!(
        report.verdict(&signers).unwrap_err().code(),
        "signature-unchecked"
    );

    let legacy = || Content::Legacy {
        payload: b"{}".to_vec(),
        signature: vec![0],
        has_certificate: true,
    };
    let signers = workflow(WORKFLOW);
    let report = check(&found(SUBJECT, legacy()), &signers, None);
    assert_eq!(
        outcome(&report),
        "unchecked: cannot be checked: it is a legacy signature with a certificate; cosign 3 makes them \
         as bundles"
    );
    assert_eq!(
        report.verdict(&signers).unwrap_err().code(),
        "signature-unchecked"
    );
}

#[test]
fn keys_and_identities_do_not_stand_in_for_one_another() {
    let key = PrivateKey::generate();
    let keys = Signers::any([Signer::Key(key.public_key())]).unwrap();
    let report = checked(SUBJECT, "rekor1", &keys);
    assert_eq!(
        outcome(&report),
        "other-signer: it is by the holder of a certificate, and none is trusted"
    );
    let both = [
        Signer::Key(key.public_key()),
        identity("**", WORKFLOW_ISSUER),
    ];
    let both = Signers::all(both).unwrap().trusting(root("trusted-root"));
    let report = checked(SUBJECT, "rekor1", &both);
    assert_eq!(report.attestations(PREDICATE).count(), 1);
    assert!(report.verdict(&both).is_err());
}
