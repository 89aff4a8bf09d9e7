//! Chains of certificates: what leads to a root, and what does not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use modelctl::ErrorKind;
use modelctl::trust::certificate::{
    CertificateError, Roots, SignerCertificate, parse_pem, without_roots,
};
use modelctl::trust::oms::{OmsError, Signature, SignedBy, Signer, Trusted};
use modelctl::trust::{Bundle, Material, PrivateKey};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, date_time_ymd};

use crate::support::certificates::{Made, issuer, params, root, signer};

/// 2030-01-01, by which everything is judged here: certificates are valid from 2025 to 2035.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_893_456_000)
}

fn roots(pem: &str) -> Roots {
    Roots::parse(pem.as_bytes(), now()).unwrap()
}

fn verify(trusted: &[&Made], chain: &[&Made]) -> Result<SignerCertificate, CertificateError> {
    let pem: String = trusted.iter().map(|made| made.pem.as_str()).collect();
    let chain: Vec<Vec<u8>> = chain.iter().map(|made| made.der.clone()).collect();
    roots(&pem).verify(&chain)
}

/// Root, intermediate and leaf, of which each may be changed.
fn chain(change: impl FnOnce(&mut [CertificateParams; 3])) -> [Made; 3] {
    let mut all = [
        issuer("root", None),
        issuer("middle", None),
        signer("signer"),
    ];
    change(&mut all);
    let [first, second, third] = all;
    let top = root(first);
    let middle = top.issue(second);
    let leaf = middle.issue(third);
    [top, middle, leaf]
}

fn accepted(change: impl FnOnce(&mut [CertificateParams; 3])) -> SignerCertificate {
    let [top, middle, leaf] = chain(change);
    verify(&[&top], &[&leaf, &middle]).unwrap()
}

fn refused(change: impl FnOnce(&mut [CertificateParams; 3])) -> String {
    let [top, middle, leaf] = chain(change);
    let error = verify(&[&top], &[&leaf, &middle]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    error.to_string()
}

const UNTRUSTED: &str = "the certificate of `CN=signer` is not issued by a trusted root, or by a certificate that is valid now and was when the signer's began";

#[test]
fn chain_that_leads_to_a_root_is_trusted() {
    let signer = accepted(|_| {});
    assert_eq!(signer.subject, "CN=signer");
    let [top, middle, leaf] = chain(|_| {});
    let key = PrivateKey::parse(leaf.key.as_bytes(), None).unwrap();
    let whole = verify(&[&top], &[&leaf, &middle, &top]).unwrap();
    assert_eq!(whole.key, key.public_key());
    // Whoever is trusted needs nobody above.
    verify(&[&middle], &[&leaf]).unwrap();
    verify(&[&leaf], &[&leaf]).unwrap();
    let others = [&root(issuer("a", None)), &root(issuer("root", None)), &top];
    verify(&others, &[&leaf, &middle]).unwrap();
}

/// No library that is used here for certificates has the curve.
#[test]
fn chain_of_keys_on_p521_is_trusted_whatever_it_is_hashed_with() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/certificates/p521"
    );
    let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let der = |name: &str| parse_pem(&read(name)).unwrap().remove(0);
    let roots = Roots::parse(&read("root.pem"), now()).unwrap();
    let (leaf, middle) = (der("leaf.pem"), der("middle.pem"));
    let key = PrivateKey::parse(&read("leaf.key"), None).unwrap();
    let signer = roots.verify(&[leaf.clone(), middle.clone()]).unwrap();
    assert_eq!(signer.key, key.public_key());
    for at in [0, 1] {
        let mut chain = [leaf.clone(), middle.clone()];
        *chain[at].last_mut().unwrap() ^= 1;
        let refused = roots.verify(&chain).unwrap_err();
        assert_eq!(refused.to_string(), UNTRUSTED);
    }
    // The root is known by its own signature, with SHA-512.
    let kept = without_roots(vec![leaf.clone(), middle.clone(), der("root.pem")]);
    assert_eq!(kept.unwrap(), [leaf, middle]);
}

/// As the reference of model signing has it: a usage or an extended usage is enough. But one that is
/// there and for something else forbids it (RFC 5280, section 4.2.1.12).
#[test]
fn leaf_needs_a_usage_for_signing_and_none_for_something_else() {
    accepted(|[_, _, leaf]| leaf.extended_key_usages.clear());
    accepted(|[_, _, leaf]| leaf.key_usages.clear());
    accepted(|[_, _, leaf]| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]);
    accepted(|[_, _, leaf]| leaf.is_ca = issuer("", None).is_ca);
    let for_others: [fn(&mut CertificateParams); 4] = [
        |leaf| *leaf = params("signer"),
        // A TLS server.
        |leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth],
        |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment],
        |leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyCertSign],
    ];
    for change in for_others {
        assert_eq!(
            refused(|[_, _, leaf]| change(leaf)),
            "the certificate of `CN=signer` is not for signing: it needs the key usage digitalSignature or the extended one codeSigning, and neither for something else only"
        );
    }
    // Nor is the leaf of an issuer of such certificates.
    let servers = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    };
    assert_eq!(refused(|[_, middle, _]| servers(middle)), UNTRUSTED);
    assert_eq!(refused(|[top, _, _]| servers(top)), UNTRUSTED);
}

#[test]
fn chain_with_a_gap_is_not_trusted() {
    let [top, middle, leaf] = chain(|_| {});
    let [other, other_middle, _] = chain(|_| {});
    for (roots, given) in [
        (vec![&top], vec![&leaf]),
        (vec![&top], vec![&leaf, &other_middle]),
        (vec![&other], vec![&leaf, &middle]),
        // Roots of the same name with other keys.
        (vec![&other, &other_middle], vec![&leaf, &middle, &top]),
    ] {
        let error = verify(&roots, &given).unwrap_err();
        assert_eq!(error.to_string(), UNTRUSTED);
    }
    assert_eq!(verify(&[&top], &[]), Err(CertificateError::Malformed));
}

/// RFC 5280, section 6.1.4: who may issue.
#[test]
fn only_issuers_issue() {
    let not_issuers: [fn(&mut CertificateParams); 3] = [
        |params| params.is_ca = IsCa::ExplicitNoCa,
        |params| params.is_ca = IsCa::NoCa,
        |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature],
    ];
    for change in not_issuers {
        assert_eq!(refused(|[_, middle, _]| change(middle)), UNTRUSTED);
        assert_eq!(refused(|[top, _, _]| change(top)), UNTRUSTED);
    }
    accepted(|[_, middle, _]| middle.key_usages.clear());
    accepted(|[_, middle, _]| *middle = issuer("middle", Some(0)));
    accepted(|[top, _, _]| *top = issuer("root", Some(1)));
    assert_eq!(
        refused(|[top, _, _]| *top = issuer("root", Some(0))),
        UNTRUSTED
    );
}

/// Security row A42, CVE-2026-24122: every certificate is valid now, and was when the leaf's validity
/// began.
#[test]
fn a42_issuers_that_are_not_valid_then_and_now_are_refused() {
    let changes: [fn(&mut CertificateParams); 4] = [
        // Expired before the leaf was issued.
        |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2024, 12, 31);
        },
        // Expired since.
        |params| params.not_after = date_time_ymd(2029, 12, 31),
        // Not an issuer yet when the leaf was issued.
        |params| params.not_before = date_time_ymd(2025, 1, 2),
        // Not an issuer yet.
        |params| params.not_before = date_time_ymd(2030, 1, 2),
    ];
    for change in changes {
        assert_eq!(refused(|[_, middle, _]| change(middle)), UNTRUSTED);
        assert_eq!(refused(|[top, _, _]| change(top)), UNTRUSTED);
    }
}

/// Security row A42; OMS v1.0, section 8.2: the certificate of the signer is within its validity.
#[test]
fn a42_leaf_that_has_expired_or_is_not_valid_yet_is_refused() {
    let expired = refused(|[_, _, leaf]| leaf.not_after = date_time_ymd(2029, 12, 31));
    assert_eq!(
        expired,
        "the certificate of `CN=signer` is valid from 2025-01-01T00:00:00Z to 2029-12-31T00:00:00Z and not now, and nothing proves when the signature was made"
    );
    let not_yet = refused(|[_, _, leaf]| leaf.not_before = date_time_ymd(2030, 1, 2));
    assert!(not_yet.contains("not now"), "{not_yet}");
    let never = refused(|[_, _, leaf]| leaf.not_after = date_time_ymd(2024, 1, 1));
    assert!(never.contains("not now"), "{never}");
    accepted(|[_, _, leaf]| leaf.not_after = date_time_ymd(2030, 1, 1));
    accepted(|[_, _, leaf]| leaf.not_before = date_time_ymd(2030, 1, 1));
    // That it is trusted itself does not make it last.
    let mut params = signer("signer");
    params.not_after = date_time_ymd(2029, 12, 31);
    let alone = root(params);
    let error = verify(&[&alone], &[&alone]).unwrap_err();
    assert!(
        matches!(error, CertificateError::NotValid { .. }),
        "{error}"
    );
}

/// Of two extensions of a kind nobody knows which counts (RFC 5280, section 4.2).
#[test]
fn extension_that_is_there_twice_is_refused() {
    let [top, ..] = chain(|_| {});
    // keyCertSign, basicConstraints of an issuer, and the usage for code.
    let twice: [(&[u64], &[u8]); 3] = [
        (&[2, 5, 29, 15], &[3, 2, 2, 4]),
        (&[2, 5, 29, 19], &[0x30, 3, 1, 1, 0xff]),
        (&[2, 5, 29, 37], &[0x30, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 3]),
    ];
    for (oid, content) in twice {
        let mut params = signer("signer");
        let extension = rcgen::CustomExtension::from_oid_content(oid, content.to_vec());
        params.custom_extensions.push(extension);
        let leaf = top.issue(params);
        let error = verify(&[&top], &[&leaf]).unwrap_err();
        assert_eq!(error, CertificateError::Malformed, "{oid:?}");
    }
}

/// A name is not what makes an issuer: the signature is.
#[test]
fn leaf_that_issues_itself_or_another_is_not_trusted() {
    let [top, middle, leaf] = chain(|_| {});
    let alone = root(signer("signer"));
    assert_eq!(
        verify(&[&top], &[&alone]).unwrap_err().to_string(),
        UNTRUSTED
    );
    // With the root's own name, and as an issuer of itself.
    let impostor = root(issuer("root", None));
    let mut named = signer("signer");
    named.is_ca = issuer("", None).is_ca;
    named.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let forged = impostor.issue(named.clone());
    for given in [
        vec![&forged],
        vec![&forged, &impostor],
        vec![&forged, &impostor, &top],
    ] {
        assert_eq!(verify(&[&top], &given).unwrap_err().to_string(), UNTRUSTED);
    }
    // A signer whom the root vouches for vouches for nobody.
    let below = leaf.issue(signer("signer"));
    let given = [&below, &leaf, &middle];
    assert_eq!(verify(&[&top], &given).unwrap_err().to_string(), UNTRUSTED);
    // Nor one that may, below an issuer that may have none below it.
    let [top, ..] = chain(|_| {});
    let last = top.issue(issuer("last", Some(0)));
    let further = last.issue(issuer("further", None));
    let leaf = further.issue(signer("signer"));
    let given = [&leaf, &further, &last];
    assert_eq!(verify(&[&top], &given).unwrap_err().to_string(), UNTRUSTED);
}

/// Security row A42: what `openssl` made with SHA-1, and a root of 1024 bits (`tests/vectors/certificates/weak`).
#[test]
fn a42_weak_algorithms_are_refused() {
    let read = |name: &str| {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/vectors/certificates/weak"
        );
        std::fs::read(format!("{folder}/{name}.pem")).unwrap()
    };
    for (name, is_strong) in [("sha256", true), ("sha1", false), ("rsa1024", false)] {
        let chain = parse_pem(&read(&format!("{name}-leaf"))).unwrap();
        let roots = Roots::parse(&read(&format!("{name}-root")), now()).unwrap();
        assert_eq!(roots.verify(&chain).is_ok(), is_strong, "{name}");
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let constrained = refused(|[_, middle, _]| {
        middle.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    assert_eq!(
        constrained,
        "the certificate of `CN=middle` has the extension 2.5.29.30, which is not supported"
    );
    let critical = refused(|[_, _, leaf]| {
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 3, 9], vec![5, 0]);
        extension.set_criticality(true);
        leaf.custom_extensions.push(extension);
    });
    assert!(critical.contains("has the extension 1.3.9"), "{critical}");
    let [top, middle, leaf] = chain(|_| {});
    for length in [0, 10, leaf.der.len() - 1] {
        let roots = roots(&top.pem);
        let given = [leaf.der[..length].to_vec(), middle.der.clone()];
        assert_eq!(roots.verify(&given), Err(CertificateError::Malformed));
    }
    let mut changed = leaf.der.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let roots = roots(&top.pem);
    assert!(roots.verify(&[changed, middle.der.clone()]).is_err());
}

/// Security row A43: nobody makes us look for long.
#[test]
fn a43_long_chains_are_refused() {
    let [top, middle, leaf] = chain(|_| {});
    let mut given = vec![&leaf];
    given.extend([&middle; 10]);
    assert_eq!(verify(&[&top], &given).unwrap_err().to_string(), UNTRUSTED);
    given.pop();
    verify(&[&top], &given).unwrap();
    let many = top.pem.repeat(1001);
    let error = parse_pem(many.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it holds no PEM certificate, or more than 1000"
    );
    assert!(parse_pem(b"").is_err());
    assert!(parse_pem(leaf.key.as_bytes()).is_err());
}

/// The certificate method of OpenSSF Model Signing: a bundle of the reference.
#[test]
fn bundle_of_the_reference_with_certificates_is_accepted() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/oms/cert");
    let read = |name: &str| std::fs::read(format!("{vectors}/{name}")).unwrap();
    let signature = Signature::parse(&read("cert.sig")).unwrap();
    for trusted in ["root.pem", "leaf.pem"] {
        let roots = Roots::parse(&read(trusted), now()).unwrap();
        let verified = signature.verify(Trusted::Roots(&roots)).unwrap();
        let SignedBy::Certificate { subject, .. } = verified.signer else {
            panic!("it has a certificate");
        };
        assert_eq!(subject, "CN=demo signer");
        assert_eq!(verified.statement.files.count(), 5);
    }
    let other = roots(&root(issuer("demo root", None)).pem);
    let error = signature.verify(Trusted::Roots(&other)).unwrap_err();
    assert!(matches!(error, OmsError::Certificate(_)), "{error}");
}

#[test]
fn signer_with_certificates_brings_them_without_the_root() {
    let [top, middle, leaf] = chain(|_| {});
    let key = || PrivateKey::parse(leaf.key.as_bytes(), None).unwrap();
    let given = [&leaf, &middle, &top, &leaf].map(|made| made.der.clone());
    let signer = Signer::with_certificates(key(), given.to_vec()).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("a"), "a").unwrap();
    let model = modelctl::trust::oms::Folder::open(folder.path()).unwrap();
    let signed = signer.sign_folder(&model, Default::default()).unwrap();
    let bundle = Bundle::parse(&signed.bundle).unwrap();
    let expected = vec![leaf.der.clone(), middle.der.clone()];
    assert_eq!(bundle.material, Material::Chain(expected));
    let roots = roots(&top.pem);
    let signature = Signature::parse(&signed.bundle).unwrap();
    signature.verify(Trusted::Roots(&roots)).unwrap();
    let by_key = signature
        .verify(Trusted::Key(&key().public_key()))
        .unwrap_err();
    assert!(matches!(by_key, OmsError::OtherSigner { .. }));

    let other = Signer::with_certificates(PrivateKey::generate(), given.to_vec()).unwrap_err();
    assert_eq!(
        other.to_string(),
        "the certificate of `CN=signer` is not for the private key"
    );
    assert_eq!(other.kind(), ErrorKind::Usage);
    // Somebody else's certificate does not make a signature theirs.
    let mut stolen = bundle;
    let thief = PrivateKey::generate();
    let payload = stolen.envelope.payload.clone();
    stolen.envelope = modelctl::trust::Envelope::sign(&thief, modelctl::trust::IN_TOTO, payload);
    let stolen = Signature::parse(&stolen.to_vec()).unwrap();
    let error = stolen.verify(Trusted::Roots(&roots)).unwrap_err();
    assert!(matches!(error, OmsError::Signature(_)), "{error}");
}
