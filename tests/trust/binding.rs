//! What a signature is over is what is in use. Security row A41.

use modelctl::oci::{Descriptor, Digest, media_type};
use modelctl::trust::cosign::SIGN_PREDICATE;
use modelctl::trust::oms::{self, PREDICATE_TYPE};
use modelctl::trust::{IN_TOTO, PrivateKey};

use super::{any, verdict_of};
use crate::support::handmade::sha256;
use crate::support::signed::{Signed, bundle, cosign, payload, referrer};

const INVALID: &str = "signature-invalid: signature invalid for `D`: ";

/// The verdict on a bundle of a trusted key beside the model, without the place of the bundle.
async fn reason_for(key: &PrivateKey, bundle: &[u8], predicate: &str) -> String {
    let signed = Signed::unsigned().referrer(bundle, predicate);
    let verdict = verdict_of(&signed, &any(&[key])).await;
    let place = format!("{INVALID}referrer `{}`: ", signed.referrers[0].digest());
    let reason = verdict.strip_prefix(&place);
    reason.unwrap_or_else(|| panic!("{verdict}")).to_owned()
}

#[tokio::test]
async fn a41_signature_of_another_artifact_is_none_of_this_one() {
    let key = PrivateKey::generate();
    let other = Signed::with_layers(&[&key]);
    let reason = reason_for(&key, &cosign(&key, &other.digest()), SIGN_PREDICATE).await;
    let hex = other.digest().hex();
    assert_eq!(
        reason,
        format!("it is over another manifest, \"sha256:{hex}\"")
    );

    // By one hex digit.
    let digest = Signed::unsigned().digest().to_string();
    let last = if digest.ends_with('0') { '1' } else { '0' };
    let near: Digest = format!("{}{last}", &digest[..digest.len() - 1])
        .parse()
        .unwrap();
    let reason = reason_for(&key, &cosign(&key, &near), SIGN_PREDICATE).await;
    assert_eq!(reason, format!("it is over another manifest, \"{near}\""));
}

#[tokio::test]
async fn a41_payload_is_read_one_way_only() {
    let key = PrivateKey::generate();
    let digest = Signed::unsigned().digest();
    let hex = digest.hex();
    let text = |subject: &str, rest: &str| {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject},"predicateType":"{SIGN_PREDICATE}"{rest}}}"#
        )
    };
    let right = format!(r#"[{{"digest":{{"sha256":"{hex}"}}}}]"#);
    let upper = format!(r#"[{{"digest":{{"sha256":"{}"}}}}]"#, hex.to_uppercase());
    let cases = [
        (
            text(&right, r#","predicateType":"https://example.com/claim/v1""#),
            "the signed statement is malformed: not valid JSON: duplicate member \"predicateType\" at line 1 column 213",
        ),
        (
            text(&format!(r#"[{{"digest":{{"sha512":"{hex}"}}}}]"#), ""),
            "it is over no SHA-256",
        ),
        (
            text(r#"[{"name":"m:v1","digest":{}}]"#, ""),
            "it is over no SHA-256",
        ),
        (text("[]", ""), "the signed statement has no subject"),
        (
            text(&upper, ""),
            &format!(
                "it is over another manifest, \"sha256:{}\"",
                hex.to_uppercase()
            ),
        ),
        (
            text(&right, "").replace("Statement/v1", "Statement/v0.1"),
            "the signed payload is a \"https://in-toto.io/Statement/v0.1\", expected \"https://in-toto.io/Statement/v1\"",
        ),
    ];
    for (payload, expected) in cases {
        let bundle = bundle(&key, IN_TOTO, payload.clone().into_bytes());
        assert_eq!(
            reason_for(&key, &bundle, SIGN_PREDICATE).await,
            expected,
            "{payload}"
        );
    }
    // The same bytes as something else.
    let bundle = bundle(&key, "application/json", text(&right, "").into_bytes());
    let reason = reason_for(&key, &bundle, SIGN_PREDICATE).await;
    let expected =
        "its payload is a \"application/json\", expected \"application/vnd.in-toto+json\"";
    assert_eq!(reason, expected);
}

#[tokio::test]
async fn a41_referrer_of_something_else_is_refused() {
    let key = PrivateKey::generate();
    let right = Signed::unsigned().document.descriptor();
    let other = Descriptor::of(media_type::MANIFEST, b"other");
    let mut typed = right.clone();
    typed.media_type = media_type::DOCKER_MANIFEST.to_owned();
    let mut sized = right.clone();
    sized.size += 1;
    let bundle = cosign(&key, &right.digest);
    for (subject, expected) in [
        (&other, format!("it refers to `{}`", other.digest)),
        (
            &typed,
            format!(
                "it refers to a \"{}\", which is a \"{}\"",
                typed.media_type, right.media_type
            ),
        ),
        (
            &sized,
            format!(
                "it refers to {} bytes, which are {}",
                sized.size, right.size
            ),
        ),
    ] {
        let referrer = referrer(subject, &bundle, SIGN_PREDICATE);
        let digest = referrer.digest();
        let mut signed = Signed::unsigned();
        signed.attach(referrer.clone(), &bundle);
        // A registry that lists it nevertheless.
        let mut honest = signed.honest(false);
        let index = modelctl::oci::Index::new(vec![referrer.descriptor()]);
        let index = modelctl::oci::Document::from_index(index);
        honest.manifest(&index, &format!("sha256-{}", signed.digest().hex()));
        let server = crate::support::scripted::Scripted::serve(honest, |_| None, None);
        let repository = crate::support::transport::anonymous(&server);
        let signers = any(&[&key]);
        let report = super::checked_in(&repository, &signed, &signers).await;
        let verdict = super::verdict(&report, &signers);
        assert_eq!(verdict, format!("{INVALID}referrer `{digest}`: {expected}"));
    }
}

#[tokio::test]
async fn a41_legacy_payload_is_bound_to_the_digest() {
    let key = PrivateKey::generate();
    let digest = Signed::unsigned().digest();
    let other = Digest::sha256(b"other");
    let named = r#"{"critical":{"identity":{"docker-reference":"m:v1"},"image":{"docker-manifest-digest":"v1"},"type":"cosign container image signature"},"optional":null}"#;
    let typed = String::from_utf8(payload(&digest)).unwrap();
    let typed = typed.replace("cosign container", "atomic container");
    let cases = [
        (payload(&digest), None),
        (
            payload(&other),
            Some(format!("it is over another manifest, `{other}`")),
        ),
        (
            typed.into_bytes(),
            Some("the signed payload is a \"atomic container image signature\", expected \"cosign container image signature\"".to_owned()),
        ),
        (
            named.as_bytes().to_vec(),
            Some("the signed payload is malformed: not valid JSON: ".to_owned()),
        ),
    ];
    for (payload, expected) in cases {
        let signed = Signed::unsigned().legacy(&[&key], &payload);
        let verdict = verdict_of(&signed, &any(&[&key])).await;
        let place = format!("{INVALID}layer 0 of tag `sha256-{}.sig`: ", digest.hex());
        match expected {
            None => assert_eq!(verdict, "ok"),
            Some(reason) => assert!(verdict.starts_with(&(place + &reason)), "{verdict}"),
        }
    }
}

/// A signature layer is over the files and the model manifest of its own artifact.
#[tokio::test]
async fn a41_model_signature_covers_exactly_the_files_of_the_model() {
    let key = PrivateKey::generate();
    let signed = Signed::with_layers(&[&key]);
    assert_eq!(verdict_of(&signed, &any(&[&key])).await, "ok");

    let mut other = signed.model.clone();
    other.files[0].sha256 = sha256(b"other");
    let signer = oms::Signer::new(key.clone());
    let bundle = signer.sign_layer(&other, sha256(&signed.model.to_bytes()));
    let reason = reason_for(&key, &bundle.unwrap(), PREDICATE_TYPE).await;
    let expected = format!(
        "the signature is over another model: `weights.bin` has the SHA-256 {}, signed was {}",
        signed.model.files[0].sha256.hex(),
        sha256(b"other").hex()
    );
    assert_eq!(reason, expected);

    let bundle = signer.sign_layer(&signed.model, sha256(b"another model manifest"));
    let reason = reason_for(&key, &bundle.unwrap(), PREDICATE_TYPE).await;
    assert!(
        reason.contains("`.modelctl/manifest.json` has the SHA-256"),
        "{reason}"
    );
}
