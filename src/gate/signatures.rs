//! Whether enough signers have signed, in a form that counts, over exactly this manifest.

use std::path::Path;

use super::check::code_of;
use super::{Check, CheckId, Code, Subject};
use crate::model::{File, ModelManifest};
use crate::oci::Document;
use crate::trust::check::{self, Distrust, Outcome, Signers};
use crate::trust::find::{FindError, find};
use crate::trust::keyless::TrustedRoot;
use crate::trust::policy::{self, Form, Rule, SignatureRule};

/// What was found beside an artifact and in it, checked against everybody whom the rule names.
pub(super) enum Looked {
    /// The rule asks for nobody.
    NotAsked,
    /// There is too much to look at.
    Refused(FindError),
    /// The rule names nobody whose signatures can be checked.
    Nobody,
    /// Each signature and attestation, with how its check came out.
    Checked(check::Report),
}

/// Looks for signatures and attestations once, for all checks that need them.
pub(super) async fn look(
    subject: &impl Subject,
    artifact: &Document,
    model: Option<&ModelManifest>,
    rule: &Rule,
) -> Looked {
    let named = rule.signatures.iter().flat_map(|rule| &rule.signers);
    let attesters = rule.attestations.iter().flat_map(|rule| &rule.signers);
    let mut named = named.chain(attesters).peekable();
    if named.peek().is_none() {
        return Looked::NotAsked;
    }
    let root = rule.trusted_root.as_ref();
    let Ok(signers) = Signers::any(named.filter_map(|each| checkable(each, root))) else {
        return Looked::Nobody;
    };
    let signers = trusting(signers, root);
    let forms = rule.signatures.iter().flat_map(|rule| &rule.forms);
    let legacy = match forms.into_iter().any(|form| *form == Form::CosignLegacy) {
        true => subject.legacy(&artifact.digest()).await,
        false => Ok(None),
    };
    match find(subject.store(), artifact, legacy).await {
        Ok(found) => {
            let report = check::check(&found, &signers, model);
            let ignored = rule.signatures.iter().flat_map(|rule| &rule.ignored_paths);
            let ignored: Vec<&str> = ignored.map(String::as_str).collect();
            let lesser = model.filter(|_| !ignored.is_empty());
            Looked::Checked(match lesser.map(|model| without(model, &ignored)) {
                Some(lesser) => either(report, check::check(&found, &signers, Some(&lesser))),
                None => report,
            })
        }
        Err(error) => Looked::Refused(error),
    }
}

/// The model without files that a statement over files may leave out.
pub(super) fn without(model: &ModelManifest, ignored: &[&str]) -> ModelManifest {
    let is_ignored = |file: &File| {
        let path = Path::new(file.path.as_str());
        ignored.iter().any(|ignored| path.starts_with(ignored))
    };
    let mut lesser = model.clone();
    lesser.files.retain(|file| !is_ignored(file));
    lesser
}

/// The checks against all files, and where one over files does not hold, that without the ignored ones.
fn either(mut report: check::Report, lesser: check::Report) -> check::Report {
    for (check, other) in report.checks.iter_mut().zip(lesser.checks) {
        let over_files = other.form == check::Form::ModelSigning;
        if over_files && check.outcome != Outcome::Valid && other.outcome == Outcome::Valid {
            *check = other;
        }
    }
    report
}

/// A signer of the policy as one that signatures are checked against.
pub(super) fn signer(signer: &policy::Signer) -> check::Signer {
    match signer {
        policy::Signer::Key(key) => check::Signer::Key(key.clone()),
        policy::Signer::Identity(identity) => check::Signer::Identity(identity.clone()),
    }
}

/// The same, unless its certificates have nobody who vouches for them.
fn checkable(signer: &policy::Signer, root: Option<&TrustedRoot>) -> Option<check::Signer> {
    match signer {
        policy::Signer::Identity(_) if root.is_none() => None,
        signer => Some(self::signer(signer)),
    }
}

fn trusting(signers: Signers, root: Option<&TrustedRoot>) -> Signers {
    match root {
        Some(root) => signers.trusting(root.clone()),
        None => signers,
    }
}

fn form(form: &Form) -> check::Form {
    match form {
        Form::Cosign => check::Form::Cosign,
        Form::CosignLegacy => check::Form::CosignLegacy,
        Form::ModelSigning => check::Form::ModelSigning,
    }
}

/// The check of the rule's signatures.
pub(super) fn check(all: &Rule, looked: &Looked, as_layers: bool) -> Check {
    let Some(rule) = all.signatures.as_ref() else {
        let message = "the policy accepts artifacts that nobody has signed";
        return Check::new(CheckId::Signatures, Code::NotAsked, message);
    };
    let report = match looked {
        Looked::Checked(report) => report,
        Looked::Refused(error) => {
            return Check::new(
                CheckId::Signatures,
                code_of(error.kind()),
                error.to_string(),
            );
        }
        Looked::NotAsked | Looked::Nobody => return identities(rule),
    };
    let Some(signers) = signers(rule, all.trusted_root.as_ref(), as_layers) else {
        return identities(rule).with("found", &report.checks);
    };
    let check = match report.verdict(&signers) {
        Ok(()) => verified(report, &signers),
        Err(distrust) => refused(&distrust),
    };
    check
        .with("threshold", rule.threshold)
        .with("forms", &rule.forms)
        .with("found", &report.checks)
}

/// The signers of a rule whose signatures can be checked, if they can be enough.
fn signers(rule: &SignatureRule, root: Option<&TrustedRoot>, as_layers: bool) -> Option<Signers> {
    let named = rule.signers.iter();
    let named = named.filter_map(|each| checkable(each, root));
    let signers = trusting(Signers::at_least(rule.threshold, named).ok()?, root);
    let counts = |it: &&Form| !(as_layers && **it == Form::ModelSigning);
    let forms = rule.forms.iter().filter(counts).map(form);
    Some(signers.in_forms(forms))
}

fn identities(rule: &SignatureRule) -> Check {
    let message = "the policy asks for signers by identity, and names no trusted root to check their certificates";
    let check = Check::new(CheckId::Signatures, Code::Unchecked, message);
    check.with("threshold", rule.threshold)
}

fn verified(report: &check::Report, signers: &Signers) -> Check {
    let signed = report.signed_by(signers);
    let trusted: Vec<String> = signed.iter().map(ToString::to_string).collect();
    let message = format!("signed by {}", trusted.join(" and "));
    Check::new(CheckId::Signatures, Code::Verified, message)
        .with("digest", report.artifact)
        .with("signers", trusted)
}

fn refused(distrust: &Distrust) -> Check {
    let code = match distrust {
        Distrust::Missing { .. } => Code::Missing,
        Distrust::Invalid { .. } => Code::Invalid,
        Distrust::Unchecked { kind, .. } => match code_of(*kind) {
            Code::Unavailable => Code::Unavailable,
            Code::Invalid => Code::Invalid,
            _ => Code::Unchecked,
        },
    };
    Check::new(CheckId::Signatures, code, distrust.to_string())
}
