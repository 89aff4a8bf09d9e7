//! Missing, invalid, unchecked: three answers that are never taken for one another. Security row A40.

use modelctl::ErrorKind;
use modelctl::oci::Digest;
use modelctl::trust::PrivateKey;
use modelctl::trust::cosign::SIGN_PREDICATE;

use super::{any, checked_in, verdict, verdict_of};
use crate::support::scripted::{Content, Reply, Scripted};
use crate::support::signed::{Signed, cosign};
use crate::support::transport::anonymous;

#[tokio::test]
async fn a40_no_signature_is_missing() {
    let key = PrivateKey::generate();
    let expected = "signature-missing: no signature found for `D`";
    assert_eq!(
        verdict_of(&Signed::unsigned(), &any(&[&key])).await,
        expected
    );
    let mut signed = Signed::unsigned();
    signed = signed.legacy(&[], b"{}");
    assert_eq!(verdict_of(&signed, &any(&[&key])).await, expected);
}

#[tokio::test]
async fn a40_what_is_no_signature_of_the_key_is_invalid() {
    let [key, other] = [PrivateKey::generate(), PrivateKey::generate()];
    let digest = Signed::unsigned().digest();
    let good = String::from_utf8(cosign(&key, &digest)).unwrap();
    let payload = good.split("\"payload\":\"").nth(1).unwrap();
    let payload = payload.split('"').next().unwrap();
    let none = good.split("\"signatures\":").next().unwrap().to_owned() + "\"signatures\":[]}}";
    let cases = [
        (
            String::from_utf8(cosign(&other, &digest)).unwrap(),
            "it is by none of the keys given",
        ),
        (
            good.replace(payload, "e30="),
            "the signature does not match what it is over",
        ),
        (none, "the signature bundle has 0 signatures, expected one"),
        (
            "{}".to_owned(),
            "the signature bundle is malformed: not valid JSON: missing field `mediaType` at line 1 column 2",
        ),
        (
            String::new(),
            "the signature bundle is malformed: not valid JSON: EOF while parsing a value at line 1 column 0",
        ),
    ];
    for (bundle, expected) in cases {
        let signed = Signed::unsigned().referrer(bundle.as_bytes(), SIGN_PREDICATE);
        let place = signed.referrers[0].digest();
        assert_eq!(
            verdict_of(&signed, &any(&[&key])).await,
            format!("signature-invalid: signature invalid for `D`: referrer `{place}`: {expected}")
        );
    }
    let third = PrivateKey::generate();
    let unsigned = Signed::unsigned().signed_by(&other).signed_by(&third);
    let verdict = verdict_of(&unsigned, &any(&[&key])).await;
    assert!(
        verdict.ends_with("it is by none of the keys given (and 1 more)"),
        "{verdict}"
    );
}

/// Whatever the registry answers, it is never that there is no signature, unless it says so.
#[tokio::test]
async fn a40_trouble_on_the_way_is_unchecked() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let (referrer, bundle) = (
        signed.referrers[0].digest(),
        Digest::sha256(&cosign(&key, &signed.digest())),
    );
    let list = "/referrers/".to_owned();
    let (manifest, blob) = (format!("/manifests/{referrer}"), format!("/blobs/{bundle}"));
    let tag = format!("/manifests/sha256-{}", signed.digest().hex());
    let cases: [(&String, u16, bool, ErrorKind); 9] = [
        (&list, 500, true, ErrorKind::Unavailable),
        (&list, 403, true, ErrorKind::Denied),
        (&list, 302, true, ErrorKind::Mismatch),
        (&tag, 500, false, ErrorKind::Unavailable),
        (&manifest, 404, true, ErrorKind::Mismatch),
        (&manifest, 503, true, ErrorKind::Unavailable),
        (&blob, 404, true, ErrorKind::Mismatch),
        (&blob, 500, true, ErrorKind::Unavailable),
        (&blob, 401, true, ErrorKind::Denied),
    ];
    for (path, status, has_referrers, kind) in cases {
        let path = path.clone();
        let server = Scripted::serve(
            signed.honest(has_referrers),
            move |seen| seen.path().contains(&path).then(|| Reply::new(status, "")),
            None,
        );
        let signers = any(&[&key]);
        let report = checked_in(&anonymous(&server), &signed, &signers).await;
        let error = report.verdict(&signers).unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("signature-unchecked", kind),
            "{error}"
        );
        let digest = signed.digest();
        let start = format!("could not check the signatures of `{digest}`: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

/// A connection that breaks, a blob that is another one, a manifest that is no JSON.
#[tokio::test]
async fn a40_lies_of_a_registry_are_not_believed() {
    let key = PrivateKey::generate();
    let signed = Signed::unsigned().signed_by(&key);
    let referrer = signed.referrers[0].digest().to_string();
    let blob = Digest::sha256(&cosign(&key, &signed.digest())).to_string();
    let index = "application/vnd.oci.image.index.v1+json";
    let garbage = format!(
        r#"{{"schemaVersion":2,"mediaType":"{index}","manifests":[{{"mediaType":"a/b","digest":"x","size":1}}]}}"#
    );
    let cases: Vec<(&str, Reply, &str)> = vec![
        (
            "/referrers/",
            Reply::new(200, "").content(Content::Nothing),
            "signature-unchecked",
        ),
        (
            "/referrers/",
            Reply::new(200, "{}").with("Link", "</v2/m/referrers/x>; rel=\"next\""),
            "signature-missing",
        ),
        (
            "/referrers/",
            Reply::new(200, "")
                .content(Content::Endless)
                .with("Content-Type", index),
            "signature-unchecked",
        ),
        // A list that is one, and of which an entry is none.
        (
            "/referrers/",
            Reply::new(200, garbage).with("Content-Type", index),
            "signature-unchecked",
        ),
        (
            "/referrers/",
            Reply::new(200, "{").with("Content-Type", index),
            "signature-unchecked",
        ),
        (&referrer, Reply::new(200, "{}"), "signature-unchecked"),
        (
            &blob,
            Reply::new(200, cosign(&key, &Digest::sha256(b"x"))),
            "signature-invalid",
        ),
    ];
    for (path, reply, code) in cases {
        let wanted = path.to_owned();
        let server = Scripted::serve(
            signed.honest(true),
            move |seen| seen.path().contains(&wanted).then(|| reply.clone()),
            None,
        );
        let signers = any(&[&key]);
        let report = checked_in(&anonymous(&server), &signed, &signers).await;
        let verdict = verdict(&report, &signers);
        assert!(verdict.starts_with(code), "{path}: {verdict}");
    }
}

/// A signature that does not need the registry is enough where the registry is away.
#[tokio::test]
async fn a_signature_layer_holds_without_the_list_of_referrers() {
    let key = PrivateKey::generate();
    let signed = Signed::with_layers(&[&key]);
    let server = Scripted::serve(
        signed.honest(true),
        |seen| {
            seen.path()
                .contains("/referrers/")
                .then(|| Reply::new(500, ""))
        },
        None,
    );
    let signers = any(&[&key]);
    let report = checked_in(&anonymous(&server), &signed, &signers).await;
    assert_eq!(verdict(&report, &signers), "ok");
}
