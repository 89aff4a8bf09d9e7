//! Certificates made for a test: a root, whom it has issued, and when.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate with its key.
pub(crate) struct Made {
    pub(crate) der: Vec<u8>,
    pub(crate) pem: String,
    /// The private key in PKCS#8.
    pub(crate) key: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What a certificate may do, valid from 2025 to 2035.
pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

/// An issuer with at most `length` issuers below it.
pub(crate) fn issuer(name: &str, length: Option<u8>) -> CertificateParams {
    let mut params = params(name);
    let constraints = length.map_or(
        BasicConstraints::Unconstrained,
        BasicConstraints::Constrained,
    );
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A signer of models.
pub(crate) fn signer(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params
}

/// Makes a certificate that has issued itself.
pub(crate) fn root(params: CertificateParams) -> Made {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Made::new(&certificate, params, key)
}

impl Made {
    fn new(certificate: &rcgen::Certificate, params: CertificateParams, key: KeyPair) -> Self {
        Self {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues a certificate, whatever this one may do.
    pub(crate) fn issue(&self, params: CertificateParams) -> Self {
        self.issue_to(params, &KeyPair::generate().unwrap().serialize_pem())
    }

    /// The same for a key that is there, in PKCS#8.
    pub(crate) fn issue_to(&self, params: CertificateParams, key: &str) -> Self {
        let key = KeyPair::from_pem(key).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self::new(&certificate, params, key)
    }
}
