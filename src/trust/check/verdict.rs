//! The verdict over all checks of an artifact.

use super::{Outcome, Report, SignatureCheck, SignerId, Signers};
use crate::ErrorKind;
use crate::oci::Digest;
use crate::trust::find::FindError;

/// Why an artifact is not trusted: three answers that are never taken for one another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// There is no signature, or not from enough signers.
    #[error("no signature found for `{artifact}`{}", by(.lacking))]
    Missing {
        /// The manifest.
        artifact: Digest,
        /// Whose signatures are not there, where others are.
        lacking: Vec<SignerId>,
    },
    /// There are signatures, and too few are valid.
    #[error("signature invalid for `{artifact}`: {reason}{}", and(*.more))]
    Invalid {
        /// The manifest.
        artifact: Digest,
        /// Of the first one that is not valid, where it is and why.
        reason: String,
        /// How many more are not valid.
        more: usize,
    },
    /// It cannot be said.
    #[error("could not check the signatures of `{artifact}`: {reason}")]
    Unchecked {
        /// The manifest.
        artifact: Digest,
        /// What stood in the way.
        reason: String,
        /// What a caller can do about that.
        kind: ErrorKind,
    },
}

fn by(ids: &[SignerId]) -> String {
    if ids.is_empty() {
        return String::new();
    }
    let ids: Vec<String> = ids.iter().map(SignerId::to_string).collect();
    format!(" by {}", ids.join(" and "))
}

fn and(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    }
}

impl Report {
    /// Whether enough of the signers have signed.
    ///
    /// # Errors
    /// [`Distrust::Unchecked`] where something could not be checked that might have been enough, else
    /// [`Distrust::Invalid`] where something is there that is no valid signature of theirs, else
    /// [`Distrust::Missing`].
    pub fn verdict(&self, signers: &Signers) -> Result<(), Distrust> {
        let signed = self.signed_by(signers);
        if signed.len() >= signers.threshold() {
            return Ok(());
        }
        let artifact = self.artifact;
        // What could not be read is whatever it claims to be, or something else.
        let unchecked = |check: &&SignatureCheck| check.outcome == Outcome::Unchecked;
        if let Some(check) = self.checks.iter().find(unchecked) {
            return Err(Distrust::Unchecked {
                artifact,
                reason: reason(check),
                kind: check.obstacle.unwrap_or(ErrorKind::Mismatch),
            });
        }
        let signatures = self.checks.iter().filter(|check| !check.is_attestation());
        let mut refused = signatures.filter_map(|check| match check.outcome {
            Outcome::Valid if signers.accepts(check.form) => match check.signer_among(signers) {
                Some(_) => None,
                None => Some(format!("{}: it is by another signer", check.source)),
            },
            Outcome::Valid => Some(format!(
                "{}: its form, {}, is not accepted: it does not prove {}",
                check.source,
                check.form.as_str(),
                check.form.limits()
            )),
            _ => Some(reason(check)),
        });
        if let Some(reason) = refused.next() {
            let more = refused.count();
            return Err(Distrust::Invalid {
                artifact,
                reason,
                more,
            });
        }
        let lacking = signers.ids().filter(|id| !signed.contains(id)).cloned();
        Err(Distrust::Missing {
            artifact,
            lacking: match signed.is_empty() {
                true => Vec::new(),
                false => lacking.collect(),
            },
        })
    }
}

fn reason(check: &SignatureCheck) -> String {
    format!("{}: {}", check.source, check.message)
}

impl Distrust {
    /// There were too many signatures to look at.
    pub fn unfound(artifact: Digest, error: FindError) -> Self {
        Self::Unchecked {
            artifact,
            reason: error.to_string(),
            kind: error.kind(),
        }
    }

    /// The word by which programs tell the three apart.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "signature-missing",
            Self::Invalid { .. } => "signature-invalid",
            Self::Unchecked { .. } => "signature-unchecked",
        }
    }

    /// What a caller can do about it. What cannot be checked is not trusted, whatever the reason;
    /// only that somebody is away, or wants to know who asks, leads to another remedy.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unchecked {
                kind: kind @ (ErrorKind::Unavailable | ErrorKind::Denied),
                ..
            } => *kind,
            _ => ErrorKind::Mismatch,
        }
    }
}
