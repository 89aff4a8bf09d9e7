//! Chains of certificates: what leads to a root, and what does not.

use modelctl::ErrorKind;
use modelctl::trust::certificate::{CertificateError, Roots, SignerCertificate, parse_pem};
use modelctl::trust::oms::{OmsError, Signature, SignedBy, Signer, Trusted};
use modelctl::trust::{Bundle, Material, PrivateKey};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, date_time_ymd};

use crate::support::certificates::{Made, issuer, params, root, signer};

fn verify(roots: &[&Made], chain: &[&Made]) -> Result<SignerCertificate, CertificateError> {
    let pem: String = roots.iter().map(|made| made.pem.as_str()).collect();
    let chain: Vec<Vec<u8>> = chain.iter().map(|made| made.der.clone()).collect();
    Roots::parse(pem.as_bytes()).unwrap().verify(&chain)
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

const UNTRUSTED: &str = "the certificate of `CN=signer` is not issued by a trusted root, or by a certificate that is valid when the signer's begins";

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

/// As the reference of model signing has it: a usage or an extended usage is enough.
#[test]
fn leaf_needs_one_usage_for_signing() {
    accepted(|[_, _, leaf]| leaf.extended_key_usages.clear());
    accepted(|[_, _, leaf]| leaf.key_usages.clear());
    accepted(|[_, _, leaf]| leaf.is_ca = issuer("", None).is_ca);
    let neither = refused(|[_, _, leaf]| {
        leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(
        neither,
        "the certificate of `CN=signer` is not for signing: it needs the key usage digitalSignature or the extended one codeSigning"
    );
    refused(|[_, _, leaf]| *leaf = params("signer"));
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

/// Security row A42, CVE-2026-24122: every certificate is valid when the leaf's validity begins.
#[test]
fn a42_issuers_that_are_not_valid_then_are_refused() {
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2024, 12, 31);
    };
    let not_yet = |params: &mut CertificateParams| params.not_before = date_time_ymd(2025, 1, 2);
    for change in [expired, not_yet] {
        assert_eq!(refused(|[_, middle, _]| change(middle)), UNTRUSTED);
        assert_eq!(refused(|[top, _, _]| change(top)), UNTRUSTED);
    }
    // One whose validity is over outlives its signatures.
    accepted(|[_, _, leaf]| leaf.not_after = date_time_ymd(2025, 1, 2));
    let never = refused(|[_, _, leaf]| leaf.not_after = date_time_ymd(2024, 1, 1));
    assert_eq!(never, UNTRUSTED);
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
        let roots = Roots::parse(top.pem.as_bytes()).unwrap();
        let given = [leaf.der[..length].to_vec(), middle.der.clone()];
        assert_eq!(roots.verify(&given), Err(CertificateError::Malformed));
    }
    let mut changed = leaf.der.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let roots = Roots::parse(top.pem.as_bytes()).unwrap();
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
        let roots = Roots::parse(&read(trusted)).unwrap();
        let verified = signature.verify(Trusted::Roots(&roots)).unwrap();
        let SignedBy::Certificate { subject, .. } = verified.signer else {
            panic!("it has a certificate");
        };
        assert_eq!(subject, "CN=demo signer");
        assert_eq!(verified.statement.files.count(), 5);
    }
    let other = Roots::parse(root(issuer("demo root", None)).pem.as_bytes()).unwrap();
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
    let roots = Roots::parse(top.pem.as_bytes()).unwrap();
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
