//! `gate`: the verdicts that `docs/gate.md` shows, word for word, and what each leaves behind.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use modelctl::oci::Descriptor;
use modelctl::trust::PrivateKey;
use serde_json::json;

use crate::support::embedded::Embedded;
use crate::support::env::{Env, Transcript, replaced};
use crate::support::folder::names;
use crate::support::signing::{SIGNATURE, TEST_RESULT, attach, bundle, passed, resolve, sign};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gate.md");
const REPOSITORY: &str = "prod/mlp";

/// The policy of the page: one key, and a smoke test that somebody attested.
const POLICY: &str = r#"version = 1

[[rule]]
repositories = ["*/prod/*"]
smoke-test = "attested"

[rule.signatures]
signers = [{ key = "release.pub" }]

[[rule.attestations]]
type = "https://in-toto.io/attestation/test-result/v0.1"
max-age = "30d"

[rule.model]
licenses = ["Apache-2.0"]
formats = ["onnx"]
operators = ["ai.onnx:*"]
opsets = { "ai.onnx" = { min = 13, max = 21 } }
max-size = "1MiB"
"#;

/// The page's transcript under a heading is this one; `make schema` writes it again.
#[track_caller]
fn is_on_the_page(heading: &str, command: &str, transcript: &Transcript) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _turn = WRITING.lock();
    let page = fs::read_to_string(PAGE).unwrap();
    let start = format!("\n### {heading}\n");
    let at = page.find(&start).expect(heading) + start.len();
    let begin = at + page[at..].find("```text\n").unwrap() + 8;
    let end = begin + page[begin..].find("```\n").unwrap();
    let hex = |c: char| c.is_ascii_hexdigit();
    let transcript = replaced(&transcript.to_string(), "key ", hex, 64, "[KEY]");
    let actual = format!("$ {command}\n{transcript}");
    if std::env::var_os("MODELCTL_BLESS").is_some() {
        let page = format!("{}{actual}{}", &page[..begin], &page[end..]);
        fs::write(PAGE, page).unwrap();
        return;
    }
    let expected = &page[begin..end];
    assert!(
        actual == expected,
        "expected:\n{expected}\nactual:\n{actual}"
    );
}

/// A registry with a model under `v1`, a policy, and the key that the policy names.
struct Stage {
    env: Env,
    registry: Embedded,
    key: PrivateKey,
    model: Descriptor,
}

impl Stage {
    fn new() -> Self {
        Self::with(Env::new(), POLICY)
    }

    fn with(env: Env, policy: &str) -> Self {
        let registry = Embedded::new();
        env.write("mlp/model.onnx", fs::read(MODEL).unwrap());
        env.write("policy.toml", policy);
        let key = PrivateKey::generate();
        env.write("release.pub", key.public_key().to_pem());
        let target = format!("{}/{REPOSITORY}:v1", registry.address);
        let licence = "--license=Apache-2.0";
        env.run(&["push", "./mlp", &target, licence, "-q"]).ok();
        let model = resolve(&registry, REPOSITORY, "v1");
        Self {
            env,
            registry,
            key,
            model,
        }
    }

    fn signed(self) -> Self {
        sign(&self.registry, REPOSITORY, &self.model, &self.key);
        self
    }

    /// Attests a smoke test that passed so many days ago.
    fn tested(self, days: u64) -> Self {
        let time = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
        let date = humantime::format_rfc3339_seconds(time).to_string();
        let test = bundle(&self.key, &self.model.digest, TEST_RESULT, passed(&date));
        attach(&self.registry, REPOSITORY, &self.model, &test);
        self
    }

    fn reference(&self) -> String {
        format!("{}/{REPOSITORY}:v1", self.registry.address)
    }

    fn gate(&self, options: &[&str]) -> Transcript {
        let reference = self.reference();
        let arguments = ["gate", &reference, "--policy", "policy.toml"];
        self.env.run(&[&arguments, options].concat())
    }

    /// Nothing appeared: neither beside the policy nor in the home folder.
    fn left_nothing(&self, beside: &[&str]) {
        let mut names = names(&self.env.path(""));
        names.retain(|name| !beside.contains(&name.as_str()));
        assert_eq!(names, ["mlp", "policy.toml", "release.pub"]);
        let home = self.env.root("home");
        let store = home.join(".local/share/modelctl/blobs");
        assert!(
            !store.exists() || files(&store) == 0,
            "{:?}",
            names_of(&home)
        );
    }
}

fn names_of(folder: &Path) -> Vec<String> {
    if folder.exists() {
        names(folder)
    } else {
        Vec::new()
    }
}

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

const COMMAND: &str = "modelctl gate registry.example/prod/mlp:v1 --policy policy.toml";

#[test]
fn signed_and_passing_is_allowed() {
    let stage = Stage::new().signed().tested(3);
    let transcript = stage.gate(&[]);
    is_on_the_page("Signed and passing", COMMAND, &transcript);
    assert_eq!(transcript.code, Some(0));
    assert_eq!(transcript.stdout, format!("{}\n", stage.model.digest));
    let quiet = stage.gate(&["-q"]);
    assert_eq!(
        (quiet.stdout.as_str(), quiet.stderr.as_str()),
        (transcript.stdout.as_str(), "")
    );
    stage.left_nothing(&[]);
}

#[test]
fn a40_unsigned_is_refused() {
    let stage = Stage::new();
    let transcript = stage.gate(&[]);
    is_on_the_page("Unsigned", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&[]);
}

#[test]
fn a41_signed_by_another_is_refused() {
    let stage = Stage::new().tested(3);
    sign(
        &stage.registry,
        REPOSITORY,
        &stage.model,
        &PrivateKey::generate(),
    );
    let transcript = stage.gate(&[]);
    is_on_the_page("Signed by another", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&[]);
}

#[test]
fn a41_signature_over_another_digest_is_refused() {
    let stage = Stage::new().tested(3);
    let other = modelctl::oci::Digest::sha256(b"another manifest");
    let signature = bundle(&stage.key, &other, SIGNATURE, json!({}));
    attach(&stage.registry, REPOSITORY, &stage.model, &signature);
    let transcript = stage.gate(&[]);
    is_on_the_page("Signature over another digest", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&[]);
}

#[test]
fn attestation_that_is_too_old_is_refused() {
    let stage = Stage::new().signed().tested(40);
    let transcript = stage.gate(&[]);
    is_on_the_page("Attestation too old", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&[]);
}

#[test]
fn a34_tag_that_moved_is_refused() {
    let stage = Stage::new().signed().tested(3);
    let reference = stage.reference();
    stage.env.run(&["lock", &reference]).ok();
    stage.env.write("next/model.onnx", fs::read(MODEL).unwrap());
    stage.env.run(&["push", "./next", &reference, "-q"]).ok();
    fs::remove_dir_all(stage.env.path("next")).unwrap();
    let transcript = stage.gate(&["--locked"]);
    let command = format!("{COMMAND} --locked");
    is_on_the_page("Tag moved against the lock", &command, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    let moved = resolve(&stage.registry, REPOSITORY, "v1").digest;
    let said = format!(
        "tag v1 moved: locked {} registry has {moved} (use modelctl lock --update)",
        stage.model.digest
    );
    assert!(transcript.stderr.contains(&said), "{transcript}");
    stage.left_nothing(&["modelctl.lock"]);
}

#[test]
fn registry_that_is_away_is_neither_a_pass_nor_a_refusal() {
    let mut stage = Stage::new().signed().tested(3);
    stage.registry.stop().unwrap();
    let transcript = stage.gate(&[]);
    is_on_the_page("Registry away", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(6), ""));
    stage.left_nothing(&[]);
}

#[test]
fn policy_with_a_typo_is_refused() {
    let stage = Stage::with(
        Env::new(),
        &POLICY
            .replace("threshold", "")
            .replace("signers =", "siners ="),
    );
    let transcript = stage.gate(&[]);
    is_on_the_page("Policy with a typo", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&[]);
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn smoke_test_that_differs_is_refused() {
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    let env = Env::new().with("ORT_DYLIB_PATH", library);
    env.write("mlp/model.onnx", fs::read(MODEL).unwrap());
    env.run(&["pack", "./mlp", "-t", "mlp:v1", "--record", "1", "-q"])
        .ok();
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
    fs::rename(env.path("out/.modelctl/tests"), env.path("tests")).unwrap();
    fs::remove_dir_all(env.path("out")).unwrap();
    fs::remove_dir_all(env.root("home/.local")).unwrap();

    let stage = Stage::with(env, &POLICY.replace("\"attested\"", "\"run\"")).tested(3);
    let mut model = fs::read(MODEL).unwrap();
    let at = model.len() / 2;
    model[at] ^= 0x10;
    stage.env.write("mlp/model.onnx", &model);
    let reference = stage.reference();
    let options = ["--tests", "tests", "--license=Apache-2.0", "-q"];
    stage
        .env
        .run(&[&["push", "./mlp", &reference], &options[..]].concat())
        .ok();
    let model = resolve(&stage.registry, REPOSITORY, "v1");
    let stage = Stage { model, ..stage }.signed().tested(3);
    let transcript = stage.gate(&[]);
    is_on_the_page("Smoke test that differs", COMMAND, &transcript);
    assert_eq!((transcript.code, transcript.stdout.as_str()), (Some(5), ""));
    stage.left_nothing(&["tests"]);
}

#[test]
fn pull_brings_nothing_that_the_policy_does_not_allow() {
    let stage = Stage::new().tested(3);
    let reference = stage.reference();
    let pull = ["pull", &reference, "-o", "out", "--policy", "policy.toml"];
    let refused = stage.env.run(&pull);
    assert_eq!(refused.code, Some(5), "{refused}");
    assert!(
        refused
            .stderr
            .contains("may not be deployed: signatures: no signature found"),
        "{refused}"
    );
    stage.left_nothing(&[]);
    let stage = stage.signed();
    assert_eq!(stage.env.run(&pull).ok(), stage.model.digest.to_string());
    assert!(stage.env.path("out/model.onnx").exists());
}

#[test]
fn verify_goes_by_a_policy_too() {
    let stage = Stage::new().tested(3);
    let reference = stage.reference();
    let verify = ["verify", &reference, "--policy", "policy.toml"];
    let refused = stage.env.run(&verify);
    assert_eq!(refused.code, Some(5), "{refused}");
    let said = "may not be deployed: signatures: no signature found";
    assert!(refused.stderr.contains(said), "{refused}");
    let stage = stage.signed();
    stage.env.run(&verify).ok();
    let refused = stage
        .env
        .run(&["verify", "./mlp", "--policy", "policy.toml"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    assert!(
        refused.stderr.contains("`gate` takes a folder"),
        "{refused}"
    );
}

#[test]
fn folders_are_gated_by_their_files_and_need_a_rule_of_their_own() {
    let stage = Stage::new().signed().tested(3);
    let reference = stage.reference();
    stage.env.run(&["pull", &reference, "-o", "out", "-q"]).ok();
    let gate = ["gate", "./out", "--policy", "policy.toml"];
    let refused = stage.env.run(&gate);
    assert_eq!(refused.code, Some(5), "{refused}");
    assert!(
        refused
            .stderr
            .contains("the policy has no rule for what is in no registry (give --as)")
    );
    let located = [&gate[..], &["--as", "registry.example/prod/mlp"]].concat();
    let refused = stage.env.run(&located);
    assert_eq!(refused.code, Some(5), "{refused}");
    let said =
        "no signature over the files found; those over the manifest cannot be checked in a folder";
    assert!(refused.stderr.contains(said), "{refused}");
    fs::write(stage.env.path("out/model.onnx"), "x").unwrap();
    let refused = stage.env.run(&located);
    assert!(
        refused
            .stderr
            .contains("1 of 2 checks failed: fail: file `model.onnx`"),
        "{refused}"
    );

    stage.env.write(
        "any.toml",
        "version = 1\n[[rule]]\nunsigned = true\nsmoke-test = \"skip\"\n",
    );
    let any = ["gate", "./out", "--policy", "any.toml", "-q"];
    assert_eq!(stage.env.run(&any).code, Some(5));
    fs::write(stage.env.path("out/model.onnx"), fs::read(MODEL).unwrap()).unwrap();
    assert_eq!(stage.env.run(&any).ok(), "./out");
}

#[test]
fn reports_are_whole_where_nothing_may_be_deployed() {
    let stage = Stage::new();
    let refused = stage.gate(&["--json"]);
    let report = refused.json();
    assert_eq!(
        (refused.code, &report["verdict"]),
        (Some(5), &json!("refused"))
    );
    assert_eq!(report["digest"], stage.model.digest.to_string());
    let checks = report["checks"].as_array().unwrap();
    let signatures = checks
        .iter()
        .find(|check| check["id"] == "signatures")
        .unwrap();
    assert_eq!(signatures["code"], "missing");
    assert_eq!(signatures["evidence"]["threshold"], 1);
    assert!(refused.stderr.contains("\"code\":\"refused\""), "{refused}");
    let page = stage.gate(&["--markdown"]);
    assert!(
        page.stdout.starts_with("# ❌ May not be deployed\n"),
        "{page}"
    );
}
