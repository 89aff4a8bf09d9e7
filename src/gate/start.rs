//! The checks before anything is read: the rule, what the name leads to, and the lock.

use super::{Check, CheckId, Code, Question};
use crate::ErrorKind;
use crate::oci::Document;
use crate::trust::lock::LockError;
use crate::trust::policy::Rule;
use crate::{Error, Result};

/// The rule for the repository.
pub(super) fn rule<'a>(question: &Question<'a>) -> (Check, Option<&'a Rule>) {
    let name = question.repository.as_deref();
    let Some(rule) = question.rule() else {
        let message = match name {
            Some(name) => format!("the policy has no rule for `{name}`"),
            None => "the policy has no rule for what is in no registry (give --as)".to_owned(),
        };
        return (Check::new(CheckId::Rule, Code::NotAllowed, message), None);
    };
    let number = rule.number;
    let message = match name {
        Some(name) => format!("rule {number} is for `{name}`"),
        None => format!("rule {number} is for what is in no registry, too"),
    };
    let check = Check::new(CheckId::Rule, Code::Verified, message);
    (check.with("rule", number), Some(rule))
}

/// What the name leads to. A name that leads nowhere is refused; that nobody answers is not.
pub(super) fn reference(
    question: &Question<'_>,
    resolved: Result<Document>,
) -> (Check, Option<Document>) {
    let document = match resolved {
        Ok(document) => document,
        Err(error) => return (unresolved(&error), None),
    };
    let digest = document.digest();
    let pinned = question
        .reference
        .as_ref()
        .is_some_and(|it| it.digest().is_some());
    let message = match pinned {
        true => format!("pinned to {digest}"),
        false => format!("resolved to {digest}, which everything below is about"),
    };
    let check = Check::new(CheckId::Reference, Code::Verified, message);
    (
        check.with("digest", digest).with("pinned", pinned),
        Some(document),
    )
}

fn unresolved(error: &Error) -> Check {
    let check = Check::error(CheckId::Reference, error);
    match error.kind() {
        ErrorKind::Denied => check.with("denied", true),
        _ => check,
    }
}

/// Whether the digest is the one that is locked.
pub(super) fn lock(question: &Question<'_>, document: &Document) -> Check {
    let Some(lock) = question.lock else {
        return Check::new(CheckId::Lock, Code::NotAsked, "no lock file was named");
    };
    let Some(reference) = &question.reference else {
        let message = "a lock file has names of registries, and this is in none (give --as)";
        return Check::new(CheckId::Lock, Code::Missing, message);
    };
    let digest = document.digest();
    // A repository without a tag is held by any of its entries with this digest.
    let reference = match (reference.tag(), reference.digest()) {
        (None, None) => reference.clone().with_digest(digest),
        _ => reference.clone(),
    };
    match lock.hold(&reference, &digest) {
        Ok(entry) => Check::new(CheckId::Lock, Code::Verified, "as it was locked")
            .with("digest", digest)
            .with("locked", super::report::rfc3339(entry.locked))
            .with("signers", &entry.signers),
        Err(error) => {
            let code = match &error {
                LockError::Moved { .. } => Code::Moved,
                LockError::NotLocked(_) => Code::Missing,
                _ => Code::Invalid,
            };
            let check = Check::new(CheckId::Lock, code, error.to_string()).with("digest", digest);
            match error {
                LockError::Moved { locked, .. } => check.with("locked", locked),
                _ => check,
            }
        }
    }
}
