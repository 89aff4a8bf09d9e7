//! The gate for an artifact in a store.

use super::signatures::{self, Looked};
use super::{Check, CheckId, Code, Question, Report, Runner, Subject};
use super::{attestations, model, smoke_test, start};
use crate::Result;
use crate::materialise::fetch_manifest;
use crate::model::ModelManifest;
use crate::oci::{Document, media_type};
use crate::trust::policy::Rule;

/// Asks everything about an artifact, and gives every answer. `resolved` is what the name leads to, or
/// why nobody can tell: from here on only its digest counts. Without a runner no smoke test is run, as
/// where files are only pulled: the report says so, and does not count it.
pub async fn artifact(
    question: &Question<'_>,
    resolved: Result<Document>,
    subject: &impl Subject,
    runner: Option<&impl Runner>,
) -> Report {
    let (check, rule) = start::rule(question);
    let mut checks = vec![check];
    let Some(rule) = rule else {
        return Report::new(question, None, checks);
    };
    let (check, document) = start::reference(question, resolved);
    checks.push(check);
    let Some(document) = document else {
        return Report::new(question, None, checks);
    };
    let digest = Some(document.digest());
    let lock = start::lock(question, &document);
    let moved = lock.code != Code::Verified && lock.code != Code::NotAsked;
    checks.push(lock);
    if moved {
        return Report::new(question, digest, checks);
    }
    checks.extend(about(rule, question, subject, &document, runner).await);
    Report::new(question, digest, checks)
}

/// Everything that goes by digest.
async fn about(
    rule: &Rule,
    question: &Question<'_>,
    subject: &impl Subject,
    document: &Document,
    runner: Option<&impl Runner>,
) -> Vec<Check> {
    let (check, model) = structure(subject, document).await;
    let mut checks = vec![check];
    let looked = signatures::look(subject, document, model.as_ref(), rule).await;
    checks.push(signatures::check(rule, &looked, question.as_layers));
    checks.extend(attestations::checks(
        &rule.attestations,
        &looked,
        question.now,
    ));
    match &model {
        Some(model) => checks.extend(model::checks(&rule.model, model)),
        None => checks.extend(model::unknown(&rule.model)),
    }
    let smoke_test = run(rule, question, document, &looked, (&checks, runner)).await;
    // The order of a report: what was run stands before what the model is.
    let at = checks
        .iter()
        .position(|check| check.id > CheckId::SmokeTest);
    checks.insert(at.unwrap_or(checks.len()), smoke_test);
    checks
}

/// The manifest by its digest, and the model manifest with its rules. The weights are verified by
/// their digests when somebody fetches them.
async fn structure(subject: &impl Subject, document: &Document) -> (Check, Option<ModelManifest>) {
    let id = CheckId::Structure;
    let manifest = match document.manifest() {
        Ok(manifest) => manifest,
        Err(error) => return (Check::new(id, Code::Invalid, error.to_string()), None),
    };
    match fetch_manifest(subject.store(), document).await {
        Ok(model) => {
            let own = manifest.layers_of(media_type::LAYER_MANIFEST).next();
            let message = match own {
                Some(_) => "the manifest and the model manifest agree, and keep every rule",
                None => "the manifest keeps every rule; there is no model manifest",
            };
            let check = Check::new(id, Code::Verified, message)
                .with("manifest", document.digest())
                .with("modelManifest", own.map(|layer| layer.digest))
                .with("layers", manifest.layers.len())
                .with("bytes", model.total_size());
            (check, Some(model))
        }
        Err(error) => (Check::error(id, &error), None),
    }
}

/// The smoke test. Nothing is run of which it is known that it may not be deployed.
async fn run(
    rule: &Rule,
    question: &Question<'_>,
    document: &Document,
    looked: &Looked,
    (checks, runner): (&[Check], Option<&impl Runner>),
) -> Check {
    if let Some(check) = smoke_test::without_running(rule, looked, question.now) {
        return check;
    }
    let Some(runner) = runner else {
        return smoke_test::left_to_the_gate();
    };
    match smoke_test::hindered(checks) {
        Some(check) => check,
        None => smoke_test::of(runner.run_artifact(document).await),
    }
}
