//! Whether the model gives what its packer recorded: run now, or taken from an attestation.

use std::time::SystemTime;

use super::signatures::Looked;
use super::{Check, CheckId, Code, Outcome, Ran, age, attestations};
use crate::trust::Statement;
use crate::trust::check::SignerId;
use crate::trust::policy::{Rule, Signer, SmokeTest};
use crate::trust::predicate::{TEST_RESULT, TestResult, Verdict};

/// The check as far as nothing has to be run: `None` where something has.
pub(super) fn without_running(rule: &Rule, looked: &Looked, now: SystemTime) -> Option<Check> {
    match rule.smoke_test {
        SmokeTest::Skip => Some(Check::not_asked(CheckId::SmokeTest)),
        SmokeTest::Attested => attested(rule, looked, now),
        SmokeTest::Run => None,
    }
}

/// A passed smoke test, attested by whom the rule trusts. The newest counts: one that failed later is
/// not hidden by one that passed before.
fn attested(rule: &Rule, looked: &Looked, now: SystemTime) -> Option<Check> {
    let Looked::Checked(report) = looked else {
        return None;
    };
    let own = rule
        .attestations
        .iter()
        .find(|rule| rule.predicate_type == TEST_RESULT);
    let (signers, max_age): (&[Signer], _) = match (own, &rule.signatures) {
        (Some(own), _) => (&own.signers, own.max_age),
        (None, Some(signatures)) => (&signatures.signers, None),
        (None, None) => return None,
    };
    let found = attestations::valid(report, TEST_RESULT, signers);
    let dated =
        found.filter_map(|(found, statement)| Some((age::made(statement)?, found, statement)));
    let (made, found, statement) = dated.max_by_key(|(made, ..)| *made)?;
    if age::judge(Some(made), max_age, now).is_err() || !passed(statement) {
        return None;
    }
    let by = found
        .signer
        .as_ref()
        .map(SignerId::to_string)
        .unwrap_or_default();
    let date = super::report::rfc3339(made);
    let message = format!("attested by {by}: passed at {date}, by its own clock");
    let check = Check::new(CheckId::SmokeTest, Code::Verified, message);
    Some(
        check
            .with("signer", by)
            .with("made", date)
            .with("attestation", found.digest),
    )
}

/// Whether it says so, and its cases do.
fn passed(statement: &Statement) -> bool {
    let predicate = statement.predicate.to_string();
    let result = TestResult::parse(predicate.as_bytes());
    result.is_ok_and(|result| result.result == Verdict::Passed)
}

/// The check of a smoke test that was run. One that compared nothing has shown nothing.
pub(super) fn of(ran: Ran) -> Check {
    let new = |code, message: String| Check::new(CheckId::SmokeTest, code, message);
    match ran {
        Ran::Done {
            cases,
            compared,
            differing,
            runtime,
        } => {
            let (code, message) = match (compared, differing) {
                (0, _) => (
                    Code::Unchecked,
                    "the model ran, but has no smoke tests: nothing was compared".to_owned(),
                ),
                (_, 0) => (
                    Code::Verified,
                    format!("{compared} of {compared} outputs equal"),
                ),
                _ => (
                    Code::Differs,
                    format!("{differing} of {compared} outputs differ from the stored ones"),
                ),
            };
            new(code, message)
                .with("cases", cases)
                .with("compared", compared)
                .with("differing", differing)
                .with("runtime", format!("ONNX Runtime {runtime}"))
        }
        Ran::Failed(reason) => new(Code::Differs, reason),
        Ran::Unable(reason) => new(Code::Unchecked, format!("it could not be run: {reason}")),
        Ran::Error(error) => Check::error(CheckId::SmokeTest, &error),
    }
}

/// The check where only files are brought here, and nothing is run.
pub(super) fn left_to_the_gate() -> Check {
    let message = "not run here: `modelctl gate` and `modelctl run` do";
    Check::new(CheckId::SmokeTest, Code::NotAsked, message)
}

/// The check where another one stands in the way already: what nobody vouches for is not executed.
pub(super) fn hindered(checks: &[Check]) -> Option<Check> {
    let stands = |check: &&Check| matches!(check.outcome, Outcome::Fail | Outcome::Inconclusive);
    let obstacle = checks.iter().find(stands)?;
    let message = format!("not run: `{}` stands in the way", obstacle.id.as_str());
    // Where the obstacle is a registry that is away, the whole may still be a matter of time.
    let code = match obstacle.code {
        Code::Unavailable => Code::Unavailable,
        _ => Code::Unchecked,
    };
    Some(Check::new(CheckId::SmokeTest, code, message))
}
