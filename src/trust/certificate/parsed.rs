//! One certificate: bytes → what a path needs of it.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::{AnyRef, Decode as _, Encode, Reader as _, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::{CertificateError, MAX_CERTIFICATES, p521};

/// `id-kp-codeSigning` and `anyExtendedKeyUsage` (RFC 5280, section 4.2.1.12).
const FOR_CODE: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3"),
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
];
/// `id-ce-nameConstraints` (RFC 5280, section 4.2.1.10).
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");

/// A certificate in DER, and what was read of it.
#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) der: Vec<u8>,
    certificate: Certificate,
    /// What the issuer signed: bytes of `der`.
    signed: Vec<u8>,
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    extended_usage: Option<ExtendedKeyUsage>,
}

impl Parsed {
    pub(super) fn new(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = |_| CertificateError::Malformed;
        let certificate = Certificate::from_der(der).map_err(malformed)?;
        let outer = AnyRef::from_der(der).map_err(malformed)?;
        let mut members = SliceReader::new(outer.value()).map_err(malformed)?;
        let signed = members.tlv_bytes().map_err(malformed)?.to_vec();
        let tbs = certificate.tbs_certificate();
        // RFC 5280, section 4.1.1.2.
        if tbs.signature() != certificate.signature_algorithm() {
            return Err(CertificateError::Malformed);
        }
        let constraints = tbs.get_extension().map_err(malformed)?;
        let usage = tbs.get_extension().map_err(malformed)?;
        let extended_usage = tbs.get_extension().map_err(malformed)?;
        let parsed = Self {
            der: der.to_vec(),
            signed,
            constraints: constraints.map(|(_, constraints)| constraints),
            usage: usage.map(|(_, usage)| usage),
            extended_usage: extended_usage.map(|(_, usage)| usage),
            certificate,
        };
        parsed.check_extensions()?;
        Ok(parsed)
    }

    /// What is critical must be understood; name constraints are never passed over.
    fn check_extensions(&self) -> Result<(), CertificateError> {
        let known = [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID];
        let extensions = self.certificate.tbs_certificate().extensions();
        let mut extensions = extensions.map_or([].iter(), |list| list.iter());
        let strange = extensions.find(|extension| {
            let oid = extension.extn_id;
            oid == NAME_CONSTRAINTS || (extension.critical && !known.contains(&oid))
        });
        match strange {
            Some(extension) => Err(CertificateError::Extension {
                subject: self.subject(),
                oid: extension.extn_id.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// Whose it is, for people.
    pub(super) fn subject(&self) -> String {
        let subject = self.certificate.tbs_certificate().subject().to_string();
        subject.chars().take(200).collect()
    }

    /// Since when it is valid, from 1970.
    pub(super) fn begin(&self) -> Duration {
        let validity = self.certificate.tbs_certificate().validity();
        validity.not_before.to_unix_duration()
    }

    pub(super) fn is_valid_at(&self, time: Duration) -> bool {
        let end = self.certificate.tbs_certificate().validity().not_after;
        self.begin() <= time && time <= end.to_unix_duration()
    }

    /// That it is not valid now.
    pub(super) fn not_valid(&self) -> CertificateError {
        let validity = self.certificate.tbs_certificate().validity();
        CertificateError::NotValid {
            subject: self.subject(),
            from: validity.not_before.to_string(),
            to: validity.not_after.to_string(),
        }
    }

    /// Whether it may sign models. Either usage is enough, as the reference of model signing has it;
    /// but one that is there and for something else forbids it (RFC 5280, section 4.2.1.12): the
    /// certificate of a TLS server has a usage for signatures, too.
    pub(super) fn may_sign(&self) -> bool {
        let says_something = self.usage.is_some() || self.extended_usage.is_some();
        let signs = self.usage.is_none_or(|usage| usage.digital_signature());
        says_something && signs && self.is_for_code()
    }

    /// Whether no extended usage limits it to something else than signing code.
    fn is_for_code(&self) -> bool {
        let extended = self.extended_usage.as_ref();
        extended.is_none_or(|usage| usage.0.iter().any(|it| FOR_CODE.contains(it)))
    }

    /// Whether it may issue a certificate with `below` issuers between it and the leaf.
    pub(super) fn may_issue(&self, below: usize) -> bool {
        let constraints = self.constraints.as_ref().filter(|found| found.ca);
        let long_enough = constraints.is_some_and(|found| {
            let limit = found.path_len_constraint;
            limit.is_none_or(|limit| below <= usize::from(limit))
        });
        long_enough && self.usage.is_none_or(|usage| usage.key_cert_sign()) && self.is_for_code()
    }

    /// Whether this is the issuer: it has the name, and its key has made the signature.
    pub(super) fn has_issued(&self, other: &Self) -> bool {
        let (own, others) = (&self.certificate, &other.certificate);
        if own.tbs_certificate().subject() != others.tbs_certificate().issuer() {
            return false;
        }
        let key = own.tbs_certificate().subject_public_key_info();
        let ids = (
            content(&key.algorithm),
            content(others.signature_algorithm()),
        );
        let (Some(key_id), Some(signature_id)) = ids else {
            return false;
        };
        let bits = (
            key.subject_public_key.as_bytes(),
            others.signature().as_bytes(),
        );
        let (Some(key), Some(signature)) = bits else {
            return false;
        };
        let fits = |algorithm: &&&dyn rustls_pki_types::SignatureVerificationAlgorithm| {
            algorithm.public_key_alg_id().as_ref() == key_id
                && algorithm.signature_alg_id().as_ref() == signature_id
        };
        let algorithms = webpki::ALL_VERIFICATION_ALGS.iter();
        let mut algorithms = algorithms.chain(&p521::ALGORITHMS).filter(fits);
        algorithms.any(|algorithm| {
            algorithm
                .verify_signature(key, &other.signed, signature)
                .is_ok()
        })
    }

    /// The key in DER.
    pub(super) fn spki(&self) -> Result<Vec<u8>, CertificateError> {
        let key = self.certificate.tbs_certificate().subject_public_key_info();
        key.to_der().map_err(|_| CertificateError::Malformed)
    }
}

/// An AlgorithmIdentifier without its outer header, as webpki names algorithms.
fn content(algorithm: &impl Encode) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    Some(AnyRef::from_der(&der).ok()?.value().to_vec())
}

/// The certificates of a PEM file, in DER, in order.
pub fn parse_pem(file: &[u8]) -> Result<Vec<Vec<u8>>, CertificateError> {
    let none = CertificateError::Pem(MAX_CERTIFICATES);
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(file) {
        let certificate = certificate.map_err(|_| none.clone())?;
        found.push(certificate.to_vec());
        if found.len() > MAX_CERTIFICATES {
            return Err(none);
        }
    }
    match found.is_empty() {
        true => Err(none),
        false => Ok(found),
    }
}
