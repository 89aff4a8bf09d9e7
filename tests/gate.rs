//! The gate as a function: what is decided from signatures, attestations, dates and model manifests.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use modelctl::gate::{self, CheckId, Code, Question, Ran, Report, Runner, Subject, Verdict};
use modelctl::materialise::fetch_manifest;
use modelctl::model::Sha256;
use modelctl::oci::{Descriptor, Digest, Document, media_type};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions};
use modelctl::store::{Memory, Storage};
use modelctl::trust::oms::{IgnorePaths, ModelStatement, Resources};
use modelctl::trust::policy::Policy;
use modelctl::trust::{BUNDLE_V03, PrivateKey};
use serde_json::{Value, json};

use crate::support::signing::{SIGNATURE, TEST_RESULT, bundle, enclose, passed, referrer};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");

/// The example model in memory.
struct Here {
    store: Memory,
    artifact: Document,
}

impl Subject for Here {
    type Store = Memory;

    fn store(&self) -> &Memory {
        &self.store
    }

    async fn legacy(&self, _: &Digest) -> modelctl::Result<Option<Document>> {
        Ok(None)
    }
}

impl Here {
    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With further files.
    async fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        fs::copy(MODEL, folder.path().join("model.onnx")).unwrap();
        let options = PlanOptions {
            licenses: vec!["Apache-2.0".to_owned()],
            ..PlanOptions::default()
        };
        let plan = plan::build(folder.path(), &options).unwrap();
        let store = Memory::new();
        pack::store(&plan, &store, &PackOptions::default())
            .await
            .unwrap();
        let artifact = plan.manifest;
        Self { store, artifact }
    }

    async fn say(&self, key: &PrivateKey, kind: &str, predicate: Value) {
        let bundle = bundle(key, &self.artifact.digest(), kind, predicate);
        self.attach(&bundle).await;
    }

    async fn attach(&self, bundle: &[u8]) {
        let manifest = referrer(&self.artifact.descriptor(), bundle).into_bytes();
        let blobs = [
            (
                Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"),
                b"{}".to_vec(),
            ),
            (Descriptor::of(BUNDLE_V03, bundle), bundle.to_vec()),
            (
                Descriptor::of("application/vnd.oci.image.manifest.v1+json", &manifest),
                manifest,
            ),
        ];
        for (descriptor, content) in blobs {
            self.store.push(&descriptor, &content).await.unwrap();
        }
    }

    async fn sign(&self, key: &PrivateKey) {
        self.say(key, SIGNATURE, json!({})).await;
    }

    async fn ask(&self, policy: &Policy, runner: &Tester) -> Report {
        let question = question(policy);
        gate::artifact(&question, Ok(self.artifact.clone()), self, Some(runner)).await
    }
}

/// 2026-01-31, by which everything is dated here.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_769_817_600)
}

fn question(policy: &Policy) -> Question<'_> {
    Question {
        name: "m".to_owned(),
        repository: Some("registry.example/prod/m".to_owned()),
        policy,
        lock: None,
        reference: None,
        as_layers: false,
        now: now(),
    }
}

/// Counts how often it is asked, and gives the same answer each time.
#[derive(Default)]
struct Tester {
    asked: AtomicUsize,
    compared: usize,
}

impl Tester {
    fn passing() -> Self {
        Self {
            compared: 1,
            ..Self::default()
        }
    }

    fn ran(&self) -> Ran {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ran::Done {
            cases: 1,
            compared: self.compared,
            differing: 0,
            runtime: "1.22.0".to_owned(),
        }
    }
}

impl Runner for Tester {
    async fn run_artifact(&self, _: &Document) -> Ran {
        self.ran()
    }

    async fn run_folder(&self, _: &Path) -> Ran {
        self.ran()
    }
}

/// A policy of one rule that names these keys.
fn policy(keys: &[&PrivateKey], rest: &str) -> Policy {
    try_policy(&text(keys, rest)).unwrap()
}

fn text(keys: &[&PrivateKey], rest: &str) -> String {
    let pems = keys
        .iter()
        .map(|key| format!("{{ pem = {:?} }}", key.public_key().to_pem()));
    let signers = pems.collect::<Vec<_>>().join(", ");
    format!("version = 1\n[[rule]]\n{rest}\n[rule.signatures]\nsigners = [{signers}]\n")
}

fn try_policy(text: &str) -> Option<Policy> {
    Policy::parse(text, |_| {
        Err(modelctl::trust::policy::PolicyError::TooLarge)
    })
    .ok()
}

#[track_caller]
fn has(report: &Report, id: CheckId, code: Code) {
    let found = report
        .checks
        .iter()
        .any(|check| check.id == id && check.code == code);
    assert!(found, "{id:?} {code:?}: {:#?}", report.checks);
}

#[tokio::test]
async fn smoke_test_is_run_only_of_what_is_signed() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    let (policy, tester) = (policy(&[&key], ""), Tester::passing());
    let report = here.ask(&policy, &tester).await;
    assert_eq!(report.verdict, Verdict::Refused);
    has(&report, CheckId::Signatures, Code::Missing);
    assert_eq!(tester.asked.load(Ordering::SeqCst), 0);
    here.sign(&key).await;
    let report = here.ask(&policy, &tester).await;
    assert_eq!(report.verdict, Verdict::Allowed, "{:#?}", report.checks);
    assert_eq!(tester.asked.load(Ordering::SeqCst), 1);
    assert_eq!(report.signers(), [format!("key {}", key.public_key().id())]);
}

#[tokio::test]
async fn model_that_compares_nothing_has_shown_nothing() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    here.sign(&key).await;
    let report = here.ask(&policy(&[&key], ""), &Tester::default()).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    has(&report, CheckId::SmokeTest, Code::Unchecked);
}

/// Security row A42.
#[tokio::test]
async fn a42_one_key_that_signs_twice_is_one_signer() {
    let here = Here::new().await;
    let (one, two) = (PrivateKey::generate(), PrivateKey::generate());
    let both = text(&[&one, &two], "") + "threshold = 2\n";
    let policy = try_policy(&both).unwrap();
    here.sign(&one).await;
    here.say(&one, SIGNATURE, json!({"again": true})).await;
    let report = here.ask(&policy, &Tester::passing()).await;
    assert_eq!(report.verdict, Verdict::Refused);
    here.sign(&two).await;
    let report = here.ask(&policy, &Tester::passing()).await;
    assert_eq!(report.verdict, Verdict::Allowed, "{:#?}", report.checks);
}

#[tokio::test]
async fn identities_that_cannot_be_checked_allow_nothing() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    here.sign(&key).await;
    let text = "version = 1\n[[rule]]\nsmoke-test = \"skip\"\n[rule.signatures]\nsigners = [{ identity = \"**\", issuer = \"https://i\" }]";
    let report = here
        .ask(&try_policy(text).unwrap(), &Tester::passing())
        .await;
    assert_ne!(report.verdict, Verdict::Allowed);
}

#[tokio::test]
async fn attestation_counts_by_whom_and_when_it_was_made() {
    let (key, other) = (PrivateKey::generate(), PrivateKey::generate());
    let asked = format!(
        "smoke-test = \"attested\"\n[[rule.attestations]]\ntype = {TEST_RESULT:?}\nmax-age = \"30d\""
    );
    let policy = policy(&[&key], &asked);
    let rows = [
        (
            &key,
            "2026-01-30T00:00:00Z",
            Code::Verified,
            Verdict::Allowed,
        ),
        (
            &other,
            "2026-01-30T00:00:00Z",
            Code::Missing,
            Verdict::Refused,
        ),
        (&key, "2025-12-01T00:00:00Z", Code::TooOld, Verdict::Refused),
        (&key, "2026-02-01T00:00:00Z", Code::Future, Verdict::Refused),
        (&key, "last week", Code::Unchecked, Verdict::Inconclusive),
    ];
    for (signer, date, code, verdict) in rows {
        let here = Here::new().await;
        here.sign(&key).await;
        here.say(signer, TEST_RESULT, passed(date)).await;
        let tester = Tester::passing();
        let report = here.ask(&policy, &tester).await;
        has(&report, CheckId::Attestation, code);
        assert_eq!(report.verdict, verdict, "{date}");
        assert_eq!(tester.asked.load(Ordering::SeqCst), 0, "{date}");
    }
}

#[tokio::test]
async fn smoke_test_that_failed_later_is_not_hidden_by_one_that_passed() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    let policy = policy(&[&key], "smoke-test = \"attested\"");
    here.sign(&key).await;
    here.say(&key, TEST_RESULT, passed("2026-01-10T00:00:00Z"))
        .await;
    let tester = Tester::passing();
    let report = here.ask(&policy, &tester).await;
    assert_eq!(
        (report.verdict, tester.asked.load(Ordering::SeqCst)),
        (Verdict::Allowed, 0)
    );
    let later = failed("2026-01-20T00:00:00Z");
    here.say(&key, TEST_RESULT, later).await;
    here.ask(&policy, &tester).await;
    assert_eq!(tester.asked.load(Ordering::SeqCst), 1);
}

/// The record of a test that failed, or of one whose outcome the signer calls so.
fn failed(at: &str) -> Value {
    let mut failed = passed(at);
    failed["result"] = json!("FAILED");
    failed["passedTests"] = json!([]);
    failed["failedTests"] = json!(["model.onnx#a"]);
    failed["urn:modelctl:smoke-test:v1"]["cases"][0]["outputs"][0]["result"] = json!("different");
    failed
}

/// A policy that asks for a record is not content with one that says that the test failed. As with
/// `pull`, nothing is run here.
#[tokio::test]
async fn a40_attested_failure_is_no_attestation_of_a_test() {
    let key = PrivateKey::generate();
    let asked = format!("smoke-test = \"attested\"\n[[rule.attestations]]\ntype = {TEST_RESULT:?}");
    let policy = policy(&[&key], &asked);
    let (early, late, future) = (
        "2026-01-10T00:00:00Z",
        "2026-01-20T00:00:00Z",
        "2099-01-01T00:00:00Z",
    );
    let undated = json!({"result": "FAILED", "configuration": []});
    let rows = [
        (vec![passed(early)], Verdict::Allowed),
        (vec![failed(early)], Verdict::Refused),
        (vec![passed(early), failed(late)], Verdict::Refused),
        (vec![failed(late), passed(early)], Verdict::Refused),
        // It was mended, and tested again.
        (vec![failed(early), passed(late)], Verdict::Allowed),
        // Nobody can say which came first.
        (vec![passed(late), failed(late)], Verdict::Refused),
        (vec![passed(late), undated], Verdict::Refused),
        // A date that cannot be is no later one.
        (vec![failed(late), passed(future)], Verdict::Refused),
        (
            vec![passed(early), failed(late), passed(future)],
            Verdict::Refused,
        ),
    ];
    for (records, expected) in rows {
        let here = Here::new().await;
        here.sign(&key).await;
        for record in &records {
            here.say(&key, TEST_RESULT, record.clone()).await;
        }
        let question = question(&policy);
        let resolved = Ok(here.artifact.clone());
        let report = gate::artifact(&question, resolved, &here, None::<&Tester>).await;
        assert_eq!(
            report.verdict, expected,
            "{records:?}: {:#?}",
            report.checks
        );
        if expected == Verdict::Refused {
            has(&report, CheckId::Attestation, Code::Differs);
        }
    }
}

/// Whom the rule names for attestations is none of those who may sign.
#[tokio::test]
async fn a42_signature_of_an_attester_is_told_from_none() {
    let (here, key, tester) = (
        Here::new().await,
        PrivateKey::generate(),
        PrivateKey::generate(),
    );
    let asked = format!(
        "[[rule.attestations]]\ntype = {TEST_RESULT:?}\nsigners = [{{ pem = {:?} }}]",
        tester.public_key().to_pem()
    );
    here.sign(&tester).await;
    let report = here.ask(&policy(&[&key], &asked), &Tester::passing()).await;
    has(&report, CheckId::Signatures, Code::Invalid);
    let mut checks = report.checks.iter();
    let signatures = checks
        .find(|check| check.id == CheckId::Signatures)
        .unwrap();
    let message = &signatures.message;
    assert!(message.ends_with("it is by another signer"), "{message}");
}

#[tokio::test]
async fn models_are_held_to_what_the_rule_allows() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    here.sign(&key).await;
    let rows = [
        ("licenses = [\"MIT\"]", CheckId::Licenses, Code::NotAllowed),
        (
            "licenses = [\"Apache-2.0\"]",
            CheckId::Licenses,
            Code::Verified,
        ),
        ("formats = [\"gguf\"]", CheckId::Format, Code::NotAllowed),
        (
            "operators = [\"com.microsoft:*\"]",
            CheckId::Operators,
            Code::NotAllowed,
        ),
        (
            "operators = [\"ai.onnx:*\"]",
            CheckId::Operators,
            Code::Verified,
        ),
        (
            "forbidden-operators = [\"*:Gemm\", \"*:MatMul\"]",
            CheckId::Operators,
            Code::NotAllowed,
        ),
        (
            "opsets = { \"ai.onnx\" = { max = 6 } }",
            CheckId::Opsets,
            Code::NotAllowed,
        ),
        (
            "opsets = { \"com.microsoft\" = {} }",
            CheckId::Opsets,
            Code::NotAllowed,
        ),
        (
            "opsets = { \"ai.onnx\" = { min = 7 } }",
            CheckId::Opsets,
            Code::Verified,
        ),
        ("max-size = \"100\"", CheckId::Size, Code::NotAllowed),
        ("max-file-size = \"100\"", CheckId::Size, Code::NotAllowed),
        ("max-size = \"1MB\"", CheckId::Size, Code::Verified),
    ];
    for (rule, id, code) in rows {
        let text = text(&[&key], "") + "[rule.model]\n" + rule;
        let report = here
            .ask(&try_policy(&text).unwrap(), &Tester::passing())
            .await;
        has(&report, id, code);
        let verdict = match code {
            Code::Verified => Verdict::Allowed,
            _ => Verdict::Refused,
        };
        assert_eq!(report.verdict, verdict, "{rule}");
    }
}

/// A statement over all files but some counts only where the rule names these.
#[tokio::test]
async fn statement_that_leaves_files_out_counts_where_the_rule_says_so() {
    let (here, key) = (
        Here::with(&[("notes/a.txt", "a")]).await,
        PrivateKey::generate(),
    );
    let manifest = here.artifact.manifest().unwrap();
    let own = manifest
        .layers_of(media_type::LAYER_MANIFEST)
        .next()
        .unwrap();
    let own = Sha256::try_from(own.digest).unwrap();
    let mut model = fetch_manifest(&here.store, &here.artifact).await.unwrap();
    model
        .files
        .retain(|file| !file.path.as_str().starts_with("notes/"));
    let resources = Resources::of_model(&model, own).unwrap();
    let statement = ModelStatement::new("m".to_owned(), resources, IgnorePaths::default());
    let payload = statement.to_statement().to_vec();
    here.attach(&enclose(&key, payload)).await;

    let strict = text(&[&key], "smoke-test = \"skip\"");
    let report = here
        .ask(&try_policy(&strict).unwrap(), &Tester::passing())
        .await;
    has(&report, CheckId::Signatures, Code::Invalid);
    for (ignored, verdict) in [("note", Verdict::Refused), ("notes", Verdict::Allowed)] {
        let lenient = format!("{strict}ignored-paths = [{ignored:?}]\n");
        let report = here
            .ask(&try_policy(&lenient).unwrap(), &Tester::passing())
            .await;
        assert_eq!(report.verdict, verdict, "{:#?}", report.checks);
    }
}

/// Any byte of a policy changed: whatever it says then, it never lets through what another key signed.
#[tokio::test]
async fn no_changed_byte_of_a_policy_lets_another_key_through() {
    let here = Here::new().await;
    let (key, other) = (PrivateKey::generate(), PrivateKey::generate());
    here.sign(&other).await;
    let text = text(
        &[&key],
        "repositories = [\"registry.example/prod/*\"]\nsmoke-test = \"skip\"",
    );
    let mut read = 0;
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).ok();
            let Some(policy) = changed.as_deref().and_then(try_policy) else {
                continue;
            };
            read += 1;
            let report = here.ask(&policy, &Tester::passing()).await;
            assert_ne!(report.verdict, Verdict::Allowed, "byte {at}, bit {bit}");
        }
    }
    assert!(read > 100, "only {read} changed policies could be read");
}

#[tokio::test]
async fn reports_for_people_show_nothing_that_is_markup() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    here.sign(&key).await;
    let policy = policy(&[&key], "");
    let question = Question {
        name: "<img src=x>|`m`\n# x".to_owned(),
        ..question(&policy)
    };
    let resolved = Ok(here.artifact.clone());
    let report = gate::artifact(&question, resolved, &here, Some(&Tester::passing())).await;
    let page = report.to_markdown();
    assert!(page.starts_with("# ✅ May be deployed\n"), "{page}");
    assert!(!page.contains("<img") && !page.contains("\n# x"), "{page}");
    assert!(
        page.contains("| signatures | ✅ pass | signed by key "),
        "{page}"
    );
}

/// Without a rule nothing is allowed, and nothing is looked at.
#[tokio::test]
async fn what_no_rule_is_for_is_refused() {
    let (here, key) = (Here::new().await, PrivateKey::generate());
    here.sign(&key).await;
    let policy = policy(&[&key], "repositories = [\"registry.example/other/*\"]");
    let report = here.ask(&policy, &Tester::passing()).await;
    assert_eq!(report.verdict, Verdict::Refused);
    has(&report, CheckId::Rule, Code::NotAllowed);
    has(&report, CheckId::Scan, Code::NotDone);
    assert_eq!(report.checks.len(), 2);
}
