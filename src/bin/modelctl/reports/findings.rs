//! The report of `verify`: everything that was checked.

use std::fmt;

use modelctl::oci::Digest;
use modelctl::verify::{Finding, Outcome};
use serde::Serialize;

use crate::failure::Failure;
use crate::text::{Table, word};

/// What was checked, and how it came out.
#[derive(Serialize)]
pub(crate) struct FindingsReport {
    /// What was verified.
    pub(crate) name: String,
    /// Its digest; a folder has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// The checks, in the order in which they were made.
    pub(crate) findings: Vec<Finding>,
}

impl FindingsReport {
    /// What was verified, in a sentence for people.
    pub(crate) fn note(&self) -> String {
        format!("verified {}: {} checks", self.name, self.findings.len())
    }

    /// Fails if any check failed.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let failed = self.findings.iter().filter(|finding| finding.is_failure());
        match failed.count() {
            0 => Ok(()),
            failed => Err(Failure::Findings {
                failed,
                total: self.findings.len(),
            }),
        }
    }
}

impl fmt::Display for FindingsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        for finding in &self.findings {
            let outcome = match finding.outcome {
                Outcome::Pass => "pass",
                Outcome::Fail => "FAIL",
                Outcome::Unchecked => "unchecked",
            };
            table.row([
                outcome.to_owned(),
                word(&finding.check),
                finding.subject.clone(),
                match finding.message.as_str() {
                    "" if finding.is_failure() => word(&finding.code),
                    message => message.to_owned(),
                },
            ]);
        }
        table.fmt(f)
    }
}
