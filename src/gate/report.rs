//! What the gate says: the verdict, and every check that led to it.

use std::time::SystemTime;

use serde::Serialize;

use super::{Check, CheckId, Code, Outcome, Question, Verdict};
use crate::oci::Digest;

/// What the gate says. Its JSON is described in `docs/gate.md`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was asked for, as it was named.
    pub name: String,
    /// Under which repository the policy was asked; absent for what is in none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What may be deployed, or not: the manifest's digest. A folder has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The rule of the policy that decided, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
    /// When, by the clock that ages were reckoned with, RFC 3339.
    pub time: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The checks that were made, in order. Where one leaves nothing to check, it is the last.
    pub checks: Vec<Check>,
}

impl Report {
    /// A report over all checks. The scan is named, so that nobody takes its absence for a pass.
    pub(super) fn new(
        question: &Question<'_>,
        digest: Option<Digest>,
        mut checks: Vec<Check>,
    ) -> Self {
        let scan = "the content is not scanned";
        checks.push(Check::new(CheckId::Scan, Code::NotDone, scan));
        Self {
            name: question.name.clone(),
            repository: question.repository.clone(),
            digest,
            rule: question.rule().map(|rule| rule.number),
            time: rfc3339(question.now),
            verdict: Verdict::of(&checks),
            checks,
        }
    }

    /// Whether it may be deployed.
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allowed
    }

    /// The checks that led to a verdict other than allowed, in order.
    pub fn obstacles(&self) -> impl Iterator<Item = &Check> {
        let decides = |check: &&Check| match self.verdict {
            Verdict::Allowed => false,
            Verdict::Refused => check.outcome == Outcome::Fail,
            Verdict::Inconclusive => {
                check.outcome == Outcome::Inconclusive && check.code != Code::Unavailable
            }
            Verdict::Unavailable => check.code == Code::Unavailable,
        };
        self.checks.iter().filter(decides)
    }

    /// Who has signed, of those whom the rule names.
    pub fn signers(&self) -> Vec<String> {
        let signatures = self
            .checks
            .iter()
            .filter(|check| check.id == CheckId::Signatures);
        let passed = signatures.filter(|check| check.outcome == Outcome::Pass);
        let listed = passed.filter_map(|check| check.evidence.get("signers")?.as_array());
        let names = listed.flatten().filter_map(|name| name.as_str());
        names.map(str::to_owned).collect()
    }
}

/// A date within the years that RFC 3339 has, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let last = std::time::Duration::from_secs(253_402_300_799);
    let time = SystemTime::UNIX_EPOCH + seconds.min(last);
    humantime::format_rfc3339_seconds(time).to_string()
}
