//! What came out of the checks.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Form, SignerId, Signers};
use crate::ErrorKind;
use crate::oci::{Descriptor, Digest};
use crate::trust::Statement;
use crate::trust::find::Source;
use crate::trust::keyless::Certified;

/// How the check of one signature came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A trusted signer has made it, over what is in use.
    Valid,
    /// It is broken, or over something else.
    Invalid,
    /// None of the trusted signers has made it.
    OtherSigner,
    /// It could not be checked.
    Unchecked,
}

/// One signature or attestation, and how its check came out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureCheck {
    /// Where it is.
    pub source: Source,
    /// The blob that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How it came out.
    pub outcome: Outcome,
    /// What it is: of one that is not valid, what it claims to be.
    pub form: Form,
    /// The predicate of its statement: of one that is not valid, the one that it claims to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// Who has made it, if it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<SignerId>,
    /// Whom the certificate of a valid keyless one names, and since when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certified>,
    /// Why it came out so; empty for a valid one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The statement of a valid bundle.
    #[serde(skip)]
    pub statement: Option<Statement>,
    /// What stood in the way of a check.
    #[serde(skip)]
    pub(super) obstacle: Option<ErrorKind>,
}

/// All checks of an artifact.
#[derive(Debug, Clone)]
pub struct Report {
    /// The manifest that was checked.
    pub artifact: Digest,
    /// Whether they were checked against anybody, or only listed.
    pub is_checked: bool,
    /// A check for each candidate.
    pub checks: Vec<SignatureCheck>,
    /// Referrers that are neither signatures nor attestations.
    pub others: Vec<Descriptor>,
}

impl Outcome {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::OtherSigner => "other-signer",
            Self::Unchecked => "unchecked",
        }
    }
}

impl SignatureCheck {
    /// What stood in the way of a check.
    pub fn obstacle(&self) -> Option<ErrorKind> {
        self.obstacle
    }

    /// As whom of these signers somebody has made it, if it is valid. A certificate may fit several
    /// patterns; of these signers it is one.
    pub fn signer_among(&self, signers: &Signers) -> Option<SignerId> {
        match &self.certificate {
            Some(certified) => signers.named_by(certified),
            None => self
                .signer
                .clone()
                .filter(|id| signers.ids().any(|it| it == id)),
        }
    }

    /// Whether it is one of an attestation, or claims to be: then it says nothing about who signed.
    pub fn is_attestation(&self) -> bool {
        self.form == Form::Attestation
    }
}

impl Report {
    /// Who of these signers has signed, each once: those of valid signatures in a form that counts.
    pub fn signed_by(&self, signers: &Signers) -> BTreeSet<SignerId> {
        let valid = self.checks.iter().filter(|check| {
            let counted = Form::SIGNATURES.contains(&check.form) && signers.accepts(check.form);
            check.outcome == Outcome::Valid && counted
        });
        valid
            .filter_map(|check| check.signer_among(signers))
            .collect()
    }

    /// The valid attestations with this predicate, each with its statement.
    pub fn attestations<'a>(
        &'a self,
        predicate_type: &'a str,
    ) -> impl Iterator<Item = (&'a SignatureCheck, &'a Statement)> {
        let valid = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Valid && check.form == Form::Attestation);
        let statements = valid.filter_map(|check| Some((check, check.statement.as_ref()?)));
        statements.filter(move |(_, statement)| statement.predicate_type == predicate_type)
    }
}

/// What was checked and how it came out, in one line; for a valid one with what it does not prove.
impl fmt::Display for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.form.over();
        match (&self.signer, &self.certificate) {
            (Some(_), Some(certified)) => {
                write!(f, "by {certified}, over {over}")?;
                let limits = self.form.limits_beside_time();
                limits.map_or(Ok(()), |limits| write!(f, "; does not prove {limits}"))
            }
            (Some(signer), None) => {
                let limits = self.form.limits();
                write!(f, "by {signer}, over {over}; does not prove {limits}")
            }
            (None, _) => f.write_str(&self.message),
        }
    }
}
