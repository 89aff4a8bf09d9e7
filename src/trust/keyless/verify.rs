//! A bundle with a certificate against a trusted root.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};
use sigstore_verify::types::{self, Sha256Hash, SignatureContent};
use sigstore_verify::{VerificationPolicy, VerificationResult};

use super::{KeylessError, TrustedRoot};
use crate::trust::{Bundle, Material, Statement};

/// The last second that RFC 3339 can write: the end of the year 9999.
const MAX_TIME: i64 = 253_402_300_799;

/// How much a bundle may hold besides what was signed, in bytes: certificates, log entries and
/// timestamps. That of cosign is of 10 KB; a checkpoint with thousands of signatures would keep us busy
/// (security row A43).
const MAX_PROOF: usize = 64 * 1024;

/// Whom a certificate names, and since when that is proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certified {
    /// Who has signed: the subject alternative name, a mail address or a URI.
    pub identity: String,
    /// Who vouches for that: the OIDC issuer.
    pub issuer: String,
    /// The earliest time at which a log or an authority has seen the signature.
    #[serde(serialize_with = "rfc3339")]
    pub signed_at: SystemTime,
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_seconds(*time))
}

impl fmt::Display for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (identity, issuer) = (&self.identity, &self.issuer);
        let time = humantime::format_rfc3339_seconds(self.signed_at);
        write!(f, "{identity:?} (issuer {issuer:?}) at {time}")
    }
}

impl TrustedRoot {
    /// Verifies a keyless signature: who has signed the envelope. Whether that is somebody who may,
    /// and whether it is about what is in use, is for the caller to check. `raw` are the bytes from
    /// which `bundle` was parsed.
    ///
    /// # Errors
    /// Anything is wrong with it: any error means that nobody is known to have signed.
    pub fn verify(&self, bundle: &Bundle, raw: &[u8]) -> Result<Certified, KeylessError> {
        if let Material::PublicKey { .. } = bundle.material {
            return Err(KeylessError::NoCertificate);
        }
        if bundle.log_entries == 0 {
            return Err(KeylessError::NoLogEntry);
        }
        let signed = bundle.envelope.payload.len().div_ceil(3) * 4;
        if raw.len().saturating_sub(signed) > MAX_PROOF {
            return Err(KeylessError::TooLarge(MAX_PROOF >> 10));
        }
        let text = str::from_utf8(raw).map_err(|error| KeylessError::refused(&error))?;
        let theirs = types::Bundle::from_json(text);
        let theirs = theirs.map_err(|error| KeylessError::refused(&error))?;
        if !is_same(bundle, &theirs) {
            return Err(KeylessError::Ambiguous);
        }
        // Every check, whoever it is: identities are compared with what this one returns.
        let policy = VerificationPolicy::any_identity();
        let verified = self.0.verify(claimed_digest(bundle)?, &theirs, &policy);
        certified(&verified.map_err(|error| KeylessError::refused(&error))?)
    }
}

/// Whether their reader sees the envelope, the certificate and the log entries that ours sees.
fn is_same(bundle: &Bundle, theirs: &types::Bundle) -> bool {
    let leaf = match &bundle.material {
        Material::PublicKey { .. } => None,
        Material::Certificate(leaf) => Some(leaf),
        Material::Chain(chain) => chain.first(),
    };
    let SignatureContent::DsseEnvelope(envelope) = &theirs.content else {
        return false;
    };
    let ours = &bundle.envelope;
    envelope.payload.as_bytes() == ours.payload
        && envelope.payload_type == ours.payload_type
        && envelope.signature.sig.as_bytes() == ours.signature
        && theirs.verification_material.tlog_entries.len() == bundle.log_entries
        && theirs.signing_certificate().map(|leaf| leaf.as_bytes()) == leaf.map(Vec::as_slice)
}

/// The digest to verify against has to be named beforehand: the one that the statement claims. What
/// else it says counts only once it is verified, and then it is compared with what is in use.
fn claimed_digest(bundle: &Bundle) -> Result<Sha256Hash, KeylessError> {
    let statement = Statement::parse(&bundle.envelope.payload)?;
    let mut subjects = statement.subject.iter();
    let claimed = subjects.find_map(|subject| subject.digest.get("sha256"));
    let claimed = claimed.ok_or(KeylessError::NoDigest)?;
    Sha256Hash::from_hex(claimed).map_err(|_| KeylessError::NoDigest)
}

/// What was verified; a check that was left out counts as one that failed.
fn certified(verified: &VerificationResult) -> Result<Certified, KeylessError> {
    let is_complete =
        verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified();
    if !is_complete {
        return Err(KeylessError::refused(&"not everything could be checked"));
    }
    let named = verified.identity().zip(verified.issuer());
    let (identity, issuer) = named.ok_or(KeylessError::Anonymous)?;
    let times = verified.verified_timestamps().iter();
    let earliest = times.min().map(|time| time.as_second());
    let seconds = earliest
        .filter(|time| (0..=MAX_TIME).contains(time))
        .ok_or(KeylessError::NoLogEntry)?;
    Ok(Certified {
        identity: identity.as_str().to_owned(),
        issuer: issuer.to_owned(),
        signed_at: UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs()),
    })
}
