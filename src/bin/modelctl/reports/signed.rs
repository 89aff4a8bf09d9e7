//! The report of `verify` for an artifact: what was checked, and the signatures that are there.

use std::fmt;

use modelctl::trust::check::{Outcome, Report, SignatureCheck};
use serde::Serialize;

use super::FindingsReport;
use crate::text::Table;

/// The findings, and a line for each signature.
#[derive(Serialize)]
pub(crate) struct SignedReport {
    #[serde(flatten)]
    pub(crate) findings: FindingsReport,
    /// Signatures and attestations, checked or only listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<Signature>,
    #[serde(skip)]
    is_checked: bool,
}

/// A signature, with what it proves and what not.
#[derive(Serialize)]
struct Signature {
    #[serde(flatten)]
    check: SignatureCheck,
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "doesNotProve")]
    limits: Option<&'static str>,
}

impl SignedReport {
    /// With signatures that were checked, or listed.
    pub(crate) fn new(findings: FindingsReport, report: &Report) -> Self {
        let signatures = report.checks.iter().cloned().map(Signature::from);
        Self {
            findings,
            signatures: signatures.collect(),
            is_checked: report.is_checked,
        }
    }

    /// Without any.
    pub(crate) fn unsigned(findings: FindingsReport) -> Self {
        Self {
            findings,
            signatures: Vec::new(),
            is_checked: false,
        }
    }

    /// A line for each signature that was only listed.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.signatures.iter().map(|signature| {
            let SignatureCheck {
                source, message, ..
            } = &signature.check;
            format!("not checked: {} in {source}: {message}", signature.kind())
        })
    }
}

impl Signature {
    fn kind(&self) -> String {
        let claimed = self.check.predicate_type.as_deref();
        match claimed.filter(|_| self.check.is_attestation()) {
            Some(predicate) => format!("attestation {predicate}"),
            None => format!("signature {}", self.check.form.as_str()),
        }
    }
}

impl From<SignatureCheck> for Signature {
    fn from(check: SignatureCheck) -> Self {
        let form = Some(check.form).filter(|_| check.outcome == Outcome::Valid);
        Self {
            over: form.map(|form| form.over()),
            limits: form.map(|form| form.limits()),
            check,
        }
    }
}

impl fmt::Display for SignedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.fmt(f)?;
        if !self.is_checked {
            return Ok(());
        }
        let mut table = Table::default();
        for signature in &self.signatures {
            let check = &signature.check;
            table.row([
                check.outcome.as_str().to_owned(),
                signature.kind(),
                check.source.to_string(),
                check.to_string(),
            ]);
        }
        table.fmt(f)
    }
}
