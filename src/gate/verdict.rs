//! The verdict over all checks.

use serde::Serialize;

use super::{Check, CheckId, Code, Outcome};

/// Whether the artifact may be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check passed that the rule asks for.
    Allowed,
    /// A check failed.
    Refused,
    /// No check failed, and one could not be decided: asking again gives the same.
    Inconclusive,
    /// Nothing but a registry that is away stands in the way: asking again can help.
    Unavailable,
}

/// Checks without which nothing is allowed, whatever the others say.
const DECIDING: [CheckId; 11] = [
    CheckId::Rule,
    CheckId::Reference,
    CheckId::Lock,
    CheckId::Structure,
    CheckId::Signatures,
    CheckId::SmokeTest,
    CheckId::Licenses,
    CheckId::Format,
    CheckId::Operators,
    CheckId::Opsets,
    CheckId::Size,
];
/// Those among them that no rule can leave out.
const ALWAYS: [CheckId; 2] = [CheckId::Rule, CheckId::Structure];

impl Verdict {
    /// The worst decides: refused, then inconclusive, then unavailable. Checks that are not there are
    /// not decided.
    pub(super) fn of(checks: &[Check]) -> Self {
        let is = |outcome| checks.iter().any(|check: &Check| check.outcome == outcome);
        let unchecked = |check: &Check| {
            check.outcome == Outcome::Inconclusive && check.code != Code::Unavailable
        };
        if is(Outcome::Fail) {
            Self::Refused
        } else if checks.iter().any(unchecked) {
            Self::Inconclusive
        } else if is(Outcome::Inconclusive) {
            Self::Unavailable
        } else if DECIDING.into_iter().all(|id| decided(checks, id)) {
            Self::Allowed
        } else {
            Self::Inconclusive
        }
    }

    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Inconclusive => "inconclusive",
            Self::Unavailable => "unavailable",
        }
    }
}

fn decided(checks: &[Check], id: CheckId) -> bool {
    let mut all = checks.iter().filter(|check| check.id == id).peekable();
    all.peek().is_some()
        && all.all(|check| match check.outcome {
            Outcome::Pass => true,
            Outcome::Skipped => !ALWAYS.contains(&id),
            Outcome::Fail | Outcome::Inconclusive | Outcome::NotDone => false,
        })
}
