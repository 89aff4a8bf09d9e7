//! The gate for a folder: its files against its model manifest, and signatures over files.
//!
//! A folder has no manifest, so that no digest of a registry can be said of it: a lock, attestations
//! and signatures over a manifest cannot be checked, and where the rule asks for them, it is not
//! allowed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::signatures::without;
use super::{Check, CheckId, Code, Question, Report, Runner};
use super::{model, smoke_test, start};
use crate::model::folder::read_small;
use crate::model::{
    MANIFEST_PATH, MAX_MODEL_MANIFEST_SIZE, ModelManifest, SIGNATURES_FOLDER, Sha256,
};
use crate::oci::Digest;
use crate::store::on_thread;
use crate::trust::find::MAX_SIGNATURES;
use crate::trust::oms::{SignedBy, Trusted, check_layer};
use crate::trust::policy::{AttestationRule, Form, Rule, SignatureRule, Signer, SmokeTest};
use crate::trust::{KeyId, MAX_BUNDLE_SIZE, PublicKey};
use crate::verify::{self, Finding};

/// Asks everything about a folder that can be asked.
pub async fn folder(question: &Question<'_>, root: &Path, runner: Option<&impl Runner>) -> Report {
    let (check, rule) = start::rule(question);
    let mut checks = vec![check];
    let Some(rule) = rule else {
        return Report::new(question, None, checks);
    };
    let message = "a folder: what it holds counts";
    checks.push(Check::new(CheckId::Reference, Code::NotAsked, message));
    checks.push(match question.lock {
        None => Check::new(CheckId::Lock, Code::NotAsked, "no lock file was named"),
        Some(_) => {
            let message = "a folder has no digest that could be locked";
            Check::new(CheckId::Lock, Code::Missing, message)
        }
    });
    let (rooted, wanted) = (root.to_owned(), rule.signatures.clone());
    let (read, about) = on_thread(move || look(&rooted, wanted.as_ref())).await;
    checks.extend(read);
    checks.extend(rule.attestations.iter().map(attestation));
    checks.push(run(rule, root, &checks, runner).await);
    match &about {
        Some(model) => checks.extend(model::checks(&rule.model, model)),
        None => checks.extend(model::unknown(&rule.model)),
    }
    Report::new(question, None, checks)
}

/// What is read of the folder: the checks of its structure and its signatures. Blocks.
fn look(root: &Path, rule: Option<&SignatureRule>) -> ([Check; 2], Option<ModelManifest>) {
    let (check, model) = structure(root);
    let signatures = match (rule, &model) {
        (None, _) => {
            let message = "the policy accepts artifacts that nobody has signed";
            Check::new(CheckId::Signatures, Code::NotAsked, message)
        }
        (Some(_), None) => {
            let message = "there is no valid model manifest that could be signed";
            Check::new(CheckId::Signatures, Code::Unchecked, message)
        }
        (Some(rule), Some((model, sha256))) => signatures(root, rule, (model, *sha256)),
    };
    ([check, signatures], model.map(|(model, _)| model))
}

/// Every file against the model manifest, and that with the SHA-256 of its bytes.
fn structure(root: &Path) -> (Check, Option<(ModelManifest, Sha256)>) {
    let id = CheckId::Structure;
    let report = match verify::directory(root) {
        Ok(report) => report,
        Err(error) => return (Check::error(id, &error.into()), None),
    };
    let failed: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|it| it.is_failure())
        .collect();
    if let Some(first) = failed.first() {
        let (count, total) = (failed.len(), report.findings.len());
        let message = format!("{count} of {total} checks failed: {first}");
        return (Check::new(id, Code::Invalid, message), None);
    }
    // The bytes that are signed have to be those that the files were compared with.
    let read = read_small(&root.join(MANIFEST_PATH), MAX_MODEL_MANIFEST_SIZE);
    let model = read.ok().and_then(|bytes| {
        let model = ModelManifest::parse_alone(&bytes).ok()?;
        let verified = report.directory.as_ref()?.manifest();
        let sha256 = Sha256::try_from(Digest::sha256(&bytes)).ok()?;
        (model == *verified).then_some((model, sha256))
    });
    let Some((model, sha256)) = model else {
        return (
            Check::new(id, Code::Unchecked, "the model manifest changed meanwhile"),
            None,
        );
    };
    let check = Check::new(
        id,
        Code::Verified,
        "every file is what the model manifest says",
    )
    .with("modelManifest", sha256.digest())
    .with("files", model.files.len())
    .with("bytes", model.total_size());
    (check, Some((model, sha256)))
}

/// The signatures over files that a pull has written beside them.
fn signatures(root: &Path, rule: &SignatureRule, signed: (&ModelManifest, Sha256)) -> Check {
    let id = CheckId::Signatures;
    if !rule.forms.contains(&Form::ModelSigning) {
        let message =
            "the policy asks for signatures over the manifest, which a folder does not have";
        return Check::new(id, Code::Unchecked, message);
    }
    let keys: Vec<&PublicKey> = rule.signers.iter().filter_map(key).collect();
    let bundles = match bundles(&root.join(SIGNATURES_FOLDER)) {
        Ok(bundles) => bundles,
        Err(error) => return Check::new(id, Code::Unchecked, error.to_string()),
    };
    if bundles.len() > MAX_SIGNATURES {
        let message = format!("too many signatures (limit {MAX_SIGNATURES})");
        return Check::new(id, Code::Invalid, message);
    }
    let mut signers: BTreeSet<KeyId> = BTreeSet::new();
    let mut refused = None;
    let ignored: Vec<&str> = rule.ignored_paths.iter().map(String::as_str).collect();
    let lesser = without(signed.0, &ignored);
    for (name, bundle) in &bundles {
        let signer = signer_of(bundle, &keys, signed);
        match signer
            .or_else(|error| signer_of(bundle, &keys, (&lesser, signed.1)).map_err(|_| error))
        {
            Ok(signer) => drop(signers.insert(signer)),
            Err(reason) => refused = refused.or(Some(format!("`{name}`: {reason}"))),
        }
    }
    let named: Vec<String> = signers
        .iter()
        .map(|signer| format!("key {signer}"))
        .collect();
    let check = match (signers.len() >= rule.threshold, refused) {
        (true, _) => Check::new(
            id,
            Code::Verified,
            format!("files signed by {}", named.join(" and ")),
        ),
        (false, _) if keys.len() < rule.threshold => {
            let message =
                "the policy asks for signers by identity, and their certificates cannot be checked";
            Check::new(id, Code::Unchecked, message)
        }
        (false, Some(reason)) => Check::new(id, Code::Invalid, reason),
        (false, None) => {
            let message = "no signature over the files found; those over the manifest cannot be checked in a folder";
            Check::new(id, Code::Missing, message)
        }
    };
    check
        .with("signers", named)
        .with("threshold", rule.threshold)
        .with("signatures", bundles.len())
}

fn key(signer: &Signer) -> Option<&PublicKey> {
    match signer {
        Signer::Key(key) => Some(key),
        Signer::Identity(_) => None,
    }
}

fn signer_of(
    bundle: &[u8],
    keys: &[&PublicKey],
    (model, sha256): (&ModelManifest, Sha256),
) -> Result<KeyId, String> {
    let trusted: Vec<Trusted<'_>> = keys.iter().map(|key| Trusted::Key(key)).collect();
    let verified = check_layer(bundle, &trusted, model, sha256);
    match verified.map_err(|error| error.to_string())?.signer {
        SignedBy::Key(id) => Ok(id),
        SignedBy::Certificate { .. } | SignedBy::Identity { .. } => {
            Err("no certificate was asked for".to_owned())
        }
    }
}

/// The files of a folder, by name; none where there is no folder. Of too many, one too many.
fn bundles(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut bundles = Vec::new();
    for entry in entries.take(MAX_SIGNATURES + 1) {
        let entry = entry?;
        let bytes = read_small(&entry.path(), MAX_BUNDLE_SIZE)?;
        bundles.push((entry.file_name().to_string_lossy().into_owned(), bytes));
    }
    bundles.sort();
    Ok(bundles)
}

fn attestation(rule: &AttestationRule) -> Check {
    let kind = &rule.predicate_type;
    let message =
        format!("`{kind}`: attestations are about the manifest, which a folder does not have");
    Check::new(CheckId::Attestation, Code::Unchecked, message).with("type", kind)
}

async fn run(rule: &Rule, root: &Path, checks: &[Check], runner: Option<&impl Runner>) -> Check {
    if rule.smoke_test == SmokeTest::Skip {
        return Check::not_asked(CheckId::SmokeTest);
    }
    let Some(runner) = runner else {
        return smoke_test::left_to_the_gate();
    };
    match smoke_test::hindered(checks) {
        Some(check) => check,
        None => smoke_test::of(runner.run_folder(root).await),
    }
}
