//! Attestations that the rule asks for: by whom, about exactly this manifest, and how old.

use std::time::SystemTime;

use super::signatures::{self, Looked};
use super::{Check, CheckId, Code, age};
use crate::ErrorKind;
use crate::trust::Statement;
use crate::trust::check::{Outcome, Report, SignatureCheck, SignerId};
use crate::trust::policy::{AttestationRule, Signer};

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
        Looked::Refused(error) => return new(Code::Invalid, error.to_string()),
        Looked::NotAsked | Looked::Nobody => {
            let message = "it may be signed by identities only, which cannot be checked";
            return new(Code::Unchecked, format!("`{kind}`: {message}"));
        }
    };
    let mut worst = None;
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

/// The valid attestations of a type by one of these signers.
pub(super) fn valid<'a>(
    report: &'a Report,
    kind: &'a str,
    signers: &[Signer],
) -> impl Iterator<Item = (&'a SignatureCheck, &'a Statement)> {
    let trusted: Vec<SignerId> = signers
        .iter()
        .map(|signer| signatures::signer(signer).id())
        .collect();
    let by_one = move |found: &(&SignatureCheck, &Statement)| {
        found
            .0
            .signer
            .as_ref()
            .is_some_and(|signer| trusted.contains(signer))
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
