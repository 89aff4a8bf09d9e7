//! Attestations that the rule asks for: by whom, about exactly this manifest, and how old.

use std::time::SystemTime;

use super::check::code_of;
use super::signatures::{self, Looked};
use super::{Check, CheckId, Code, age};
use crate::ErrorKind;
use crate::trust::Statement;
use crate::trust::check::{Outcome, Report, SignatureCheck, SignerId, Signers};
use crate::trust::policy::{AttestationRule, Signer};
use crate::trust::predicate::{TEST_RESULT, Verdict};

/// A check for each attestation of the rule.
pub(super) fn checks(rules: &[AttestationRule], looked: &Looked, now: SystemTime) -> Vec<Check> {
    rules.iter().map(|rule| check(rule, looked, now)).collect()
}

fn check(rule: &AttestationRule, looked: &Looked, now: SystemTime) -> Check {
    let kind = &rule.predicate_type;
    let new =
        |code, message: String| Check::new(CheckId::Attestation, code, message).with("type", kind);
    let report = match looked {
        Looked::Checked(report) => report,
        Looked::Refused(error) => return new(code_of(error.kind()), error.to_string()),
        Looked::NotAsked | Looked::Nobody => {
            let message = "it may be signed by identities only, which cannot be checked";
            return new(Code::Unchecked, format!("`{kind}`: {message}"));
        }
    };
    let mut worst = None;
    if let Some(message) = failed(report, rule, now) {
        return new(Code::Differs, format!("`{kind}`: {message}"));
    }
    for (found, statement) in valid(report, kind, &rule.signers) {
        let made = age::made(statement);
        match age::judge(made, rule.max_age, now) {
            Ok(()) => {
                let signer = found.signer.as_ref().map(SignerId::to_string);
                let by = signer.clone().unwrap_or_default();
                let check = new(Code::Verified, format!("`{kind}`, signed by {by}"));
                let check = check.with("signer", signer).with("blob", found.digest);
                return check.with("made", made.map(super::report::rfc3339));
            }
            Err((code, message)) => worst = Some((code, message)),
        }
    }
    match worst {
        Some((code, message)) => new(code, format!("`{kind}`: {message}")),
        None => missing(report, kind, new),
    }
}

/// That the newest record of a test says that it failed, if it does: one that passed before does not
/// make up for it. One without a date may be the newest.
fn failed(report: &Report, rule: &AttestationRule, now: SystemTime) -> Option<String> {
    if rule.predicate_type != TEST_RESULT {
        return None;
    }
    let dated = || {
        let found = valid(report, TEST_RESULT, &rule.signers);
        let dated = found.map(|(_, statement)| (age::made(statement), statement));
        // A date in the future is none.
        dated.filter(|(made, _)| age::judge(*made, None, now).is_ok())
    };
    let newest = dated().filter_map(|(made, _)| made).max();
    let mut last = dated().filter(|(made, _)| made.is_none() || *made == newest);
    let (made, _) =
        last.find(|(_, statement)| statement.predicate["result"] == Verdict::Failed.as_str())?;
    Some(match made {
        Some(made) => format!("the test failed at {}", super::report::rfc3339(made)),
        None => "the test failed".to_owned(),
    })
}

/// The valid attestations of a type by one of these signers.
pub(super) fn valid<'a>(
    report: &'a Report,
    kind: &'a str,
    signers: &[Signer],
) -> impl Iterator<Item = (&'a SignatureCheck, &'a Statement)> {
    let trusted = Signers::any(signers.iter().map(signatures::signer)).ok();
    let by_one = move |(found, _): &(&SignatureCheck, &Statement)| {
        let trusted = trusted.as_ref();
        trusted.is_some_and(|trusted| found.signer_among(trusted).is_some())
    };
    report.attestations(kind).filter(by_one)
}

/// Why there is none. What could not be looked at might have been it.
fn missing(report: &Report, kind: &str, new: impl Fn(Code, String) -> Check) -> Check {
    let mut unread = report
        .checks
        .iter()
        .filter(|check| check.outcome == Outcome::Unchecked);
    if let Some(check) = unread.next() {
        let code = match check.obstacle() {
            Some(ErrorKind::Unavailable) => Code::Unavailable,
            _ => Code::Unchecked,
        };
        return new(
            code,
            format!(
                "`{kind}`: could not check: {}: {}",
                check.source, check.message
            ),
        );
    }
    let mut of_kind = report.checks.iter().filter(|check| {
        check.predicate_type.as_deref() == Some(kind) && check.outcome != Outcome::Valid
    });
    match of_kind.next() {
        Some(check) => new(
            Code::Invalid,
            format!("`{kind}`: {}: {}", check.source, check.message),
        ),
        None => new(Code::Missing, format!("no attestation `{kind}` found")),
    }
}
