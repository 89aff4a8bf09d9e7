//! From a leaf over given certificates to a root.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::CertificateError;
use super::parsed::{Parsed, parse_pem};
use crate::trust::PublicKey;

/// How many certificates a file of roots may hold: more than any operating system has.
pub const MAX_CERTIFICATES: usize = 1000;
/// How many certificates a signature may bring.
const MAX_CHAIN: usize = 10;

/// Certificates that the user trusts, and the time at which chains to them have to be valid.
#[derive(Debug, Clone)]
pub struct Roots {
    trusted: Vec<Parsed>,
    now: Duration,
}

/// The certificate of a signer, whom a root vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerCertificate {
    /// Whom it names.
    pub subject: String,
    /// The key.
    pub key: PublicKey,
}

impl Roots {
    /// Parses a PEM file.
    pub fn parse(file: &[u8], now: SystemTime) -> Result<Self, CertificateError> {
        let trusted = parse_pem(file)?;
        let trusted = trusted.iter().map(|der| Parsed::new(der));
        Ok(Self {
            trusted: trusted.collect::<Result<_, _>>()?,
            now: now.duration_since(UNIX_EPOCH).unwrap_or_default(),
        })
    }

    /// Follows a chain, leaf first, to a root. Every certificate must be valid now: nothing proves that
    /// a signature was made before one of them expired (OMS v1.0, section 8.2; RFC 5280, section
    /// 6.1.3). It must have been so when the leaf's validity began, too, as in the reference of OpenSSF
    /// Model Signing: whoever was no issuer then has not issued it. A leaf that is itself trusted needs
    /// no issuer.
    ///
    /// # Errors
    /// The chain leads to no root, something in it is not valid or not known here, or the leaf is not
    /// for signing.
    pub fn verify(&self, chain: &[Vec<u8>]) -> Result<SignerCertificate, CertificateError> {
        let (leaf, given) = chain.split_first().ok_or(CertificateError::Malformed)?;
        let leaf = Parsed::new(leaf)?;
        if given.len() >= MAX_CHAIN {
            return Err(CertificateError::Untrusted(leaf.subject()));
        }
        let given = given.iter().map(|der| Parsed::new(der));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        if !leaf.is_valid_at(self.now) {
            return Err(leaf.not_valid());
        }
        if !self.leads_here(&leaf, given) {
            return Err(CertificateError::Untrusted(leaf.subject()));
        }
        if !leaf.may_sign() {
            return Err(CertificateError::Usage(leaf.subject()));
        }
        let key = key_of(&leaf)?;
        let subject = leaf.subject();
        Ok(SignerCertificate { subject, key })
    }

    fn leads_here(&self, leaf: &Parsed, mut given: Vec<Parsed>) -> bool {
        let times = [leaf.begin(), self.now];
        let mut last = leaf.clone();
        if self.trusted.iter().any(|root| root.der == leaf.der) {
            return true;
        }
        // Each turn takes one certificate out of those given.
        for below in 0.. {
            let fits = |issuer: &Parsed| {
                let is_valid = times.iter().all(|time| issuer.is_valid_at(*time));
                issuer.may_issue(below) && is_valid && issuer.has_issued(&last)
            };
            if self.trusted.iter().any(fits) {
                return true;
            }
            match given.iter().position(fits) {
                Some(next) => last = given.swap_remove(next),
                None => return false,
            }
        }
        false
    }
}

/// The key of a certificate in DER, and whom it names; nothing of it is verified.
pub fn leaf_key(der: &[u8]) -> Result<SignerCertificate, CertificateError> {
    let leaf = Parsed::new(der)?;
    let key = key_of(&leaf)?;
    let subject = leaf.subject();
    Ok(SignerCertificate { subject, key })
}

/// A chain without the certificates that have issued themselves, but for the leaf.
pub fn without_roots(chain: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, CertificateError> {
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(chain.len());
    for der in chain {
        let parsed = Parsed::new(&der)?;
        if kept.is_empty() || (!parsed.has_issued(&parsed) && !kept.contains(&der)) {
            kept.push(der);
        }
    }
    Ok(kept)
}

fn key_of(leaf: &Parsed) -> Result<PublicKey, CertificateError> {
    PublicKey::from_spki(&leaf.spki()?).map_err(|cause| CertificateError::Key {
        subject: leaf.subject(),
        cause,
    })
}
