//! Keyless signatures from end to end: an artifact in a registry, signed by an identity, for every command
//! that asks who has signed.

use modelctl::model::Sha256;
use modelctl::trust::cosign::SIGN_PREDICATE;
use modelctl::trust::{PrivateKey, Statement, Subject};
use serde_json::json;

use crate::support::env::{Env, Transcript};
use crate::support::folder::names;
use crate::support::scripted::Scripted;
use crate::support::signed::{CLAIM, Signed, write_key};
use crate::support::sigstore::{IN_TIME, Sigstore, TOO_LATE};

const WORKFLOW: &str = "https://ci.example/models/mlp@refs/heads/main";
const ISSUER: &str = "https://token.ci.example";
const RELEASE: (&str, &str) = (WORKFLOW, ISSUER);

/// A model in a registry, with bundles beside it, and whom the place trusts.
struct Stage {
    env: Env,
    server: Scripted,
    model: String,
}

/// A statement about a manifest.
fn about(signed: &Signed, predicate: &str) -> Vec<u8> {
    let subject = Subject::new(Sha256::try_from(signed.digest()).unwrap());
    Statement::new(subject, predicate, json!({})).to_vec()
}

impl Stage {
    fn new(sigstore: &Sigstore, signed: &Signed) -> Self {
        let env = Env::new();
        env.write("root.json", sigstore.trusted_root());
        env.write(
            "policy.toml",
            policy(
                &format!("{{ identity = \"{WORKFLOW}\", issuer = \"{ISSUER}\" }}"),
                "",
            ),
        );
        let server = Scripted::serve(signed.honest(true), |_| None, None);
        let model = format!("{}/m:v1", server.address);
        Self { env, server, model }
    }

    /// The model, signed by somebody at some time.
    fn signed_by(sigstore: &Sigstore, who: (&str, &str), at: u64) -> Self {
        let signed = Signed::unsigned();
        let bundle = sigstore.sign(who, &about(&signed, SIGN_PREDICATE), at);
        Self::new(sigstore, &signed.referrer(&bundle, SIGN_PREDICATE))
    }

    fn run(&self, words: &[&str]) -> Transcript {
        self.env
            .run(&[&words[..1], &[&self.model], &words[1..]].concat())
    }

    fn by_identity(&self, words: &[&str]) -> Transcript {
        let identity = [
            "--certificate-identity",
            WORKFLOW,
            "--certificate-oidc-issuer",
            ISSUER,
            "--trusted-root",
            "root.json",
        ];
        self.run(&[words, &identity].concat())
    }

    fn by_policy(&self, words: &[&str]) -> Transcript {
        self.run(&[words, &["--policy", "policy.toml"]].concat())
    }

    /// Every command refuses, says why, and leaves nothing.
    #[track_caller]
    fn is_refused(&self, said: &str) {
        let refused = [
            self.by_identity(&["verify"]),
            self.by_identity(&["pull", "-o", "out"]),
            self.by_identity(&["pull"]),
            self.by_policy(&["verify"]),
            self.by_policy(&["pull", "-o", "out"]),
            self.by_policy(&["gate"]),
            self.by_policy(&["lock"]),
        ];
        for transcript in refused {
            assert_eq!(transcript.code, Some(5), "{transcript}");
            assert!(transcript.stderr.contains(said), "{said}: {transcript}");
            assert_eq!(names(&self.env.path("")), ["policy.toml", "root.json"]);
            assert_eq!(names(&self.env.root("home")), [""; 0]);
        }
    }
}

fn policy(signers: &str, rest: &str) -> String {
    format!(
        "version = 1\ntrusted-root = \"root.json\"\n[[rule]]\nsmoke-test = \"skip\"\n{rest}\n[rule.signatures]\nsigners = [{signers}]\n"
    )
}

#[test]
fn identity_that_has_signed_is_accepted_by_every_command() {
    let stage = Stage::signed_by(&Sigstore::new(), RELEASE, IN_TIME);
    let verified = stage.by_identity(&["verify", "--json"]);
    let signature = &verified.json()["signatures"][0];
    assert_eq!(verified.code, Some(0), "{verified}");
    assert_eq!(signature["outcome"], "valid");
    assert_eq!(signature["form"], "cosign");
    assert_eq!(signature["certificate"]["identity"], WORKFLOW);
    assert_eq!(signature["certificate"]["issuer"], ISSUER);
    assert_eq!(signature["certificate"]["signedAt"], "2025-03-01T00:05:00Z");

    stage.by_identity(&["pull", "-o", "out"]).ok();
    assert!(stage.env.path("out/weights.bin").exists());
    stage.by_policy(&["verify"]).ok();
    stage.by_policy(&["pull", "-o", "again"]).ok();
    let gated = stage.by_policy(&["gate"]);
    gated.ok();
    let said = format!("signed by identity `{WORKFLOW}` of `{ISSUER}`");
    assert!(gated.stderr.contains(&said), "{gated}");
    stage.by_policy(&["lock"]).ok();
    let lock = std::fs::read_to_string(stage.env.path("modelctl.lock")).unwrap();
    assert!(
        lock.contains(&format!("signers = [\"identity `{WORKFLOW}`")),
        "{lock}"
    );
    // Nobody is asked but the registry.
    let asked = stage.server.lines();
    assert!(
        asked.iter().all(|line| line.contains(" /v2/m/")),
        "{asked:?}"
    );
}

#[test]
fn a41_somebody_else_and_another_artifact_are_refused() {
    let sigstore = Sigstore::new();
    let none = "who is none of the signers";
    let other = "https://ci.example/models/mlp@refs/heads/mainly";
    Stage::signed_by(&sigstore, (other, ISSUER), IN_TIME).is_refused(none);
    let issuer = "https://token.ci.example.evil";
    Stage::signed_by(&sigstore, (WORKFLOW, issuer), IN_TIME).is_refused(none);

    let signed = Signed::unsigned();
    let other = Signed::with_layers(&[&PrivateKey::generate()]);
    let bundle = sigstore.sign(RELEASE, &about(&other, SIGN_PREDICATE), IN_TIME);
    let stage = Stage::new(&sigstore, &signed.referrer(&bundle, SIGN_PREDICATE));
    stage.is_refused("it is over another manifest");
}

/// Security row A42: an instance that nobody trusts, and a key that leaked after its day.
#[test]
fn a42_other_instances_and_expired_certificates_are_refused() {
    let sigstore = Sigstore::new();
    let stage = Stage::signed_by(&sigstore, RELEASE, TOO_LATE);
    stage.is_refused("signature invalid for");
    let stage = Stage::signed_by(&sigstore, RELEASE, IN_TIME);
    stage.env.write("root.json", Sigstore::new().trusted_root());
    stage.is_refused("signature invalid for");
}

#[test]
fn a40_attestation_of_the_identity_is_no_signature() {
    let (sigstore, signed) = (Sigstore::new(), Signed::unsigned());
    let bundle = sigstore.sign(RELEASE, &about(&signed, CLAIM), IN_TIME);
    let stage = Stage::new(&sigstore, &signed.referrer(&bundle, CLAIM));
    stage.is_refused("no signature found for");
}

/// A key and an identity are two signers; the same identity twice is one.
#[test]
fn a42_identities_count_toward_a_threshold_once() {
    let (sigstore, key) = (Sigstore::new(), PrivateKey::generate());
    let signed = Signed::unsigned();
    let signature = || sigstore.sign(RELEASE, &about(&signed, SIGN_PREDICATE), IN_TIME);
    let (first, second) = (signature(), signature());
    assert_ne!(first, second);
    let twice = Signed::unsigned()
        .referrer(&first, SIGN_PREDICATE)
        .referrer(&second, SIGN_PREDICATE);
    let both = format!(
        "{{ identity = \"{WORKFLOW}\", issuer = \"{ISSUER}\" }}, {{ identity = \"https://ci.example/**\", issuer = \"{ISSUER}\" }}, {{ key = \"k.pub\" }}"
    );
    let both = policy(&both, "") + "threshold = 2\n";
    for (signed, code) in [
        (twice, 5),
        (
            Signed::unsigned()
                .referrer(&first, SIGN_PREDICATE)
                .signed_by(&key),
            0,
        ),
    ] {
        let stage = Stage::new(&sigstore, &signed);
        write_key(&stage.env.path("k.pub"), &key);
        stage.env.write("policy.toml", &both);
        let gated = stage.by_policy(&["gate"]);
        assert_eq!(gated.code, Some(code), "{gated}");
    }
}

/// Whoever signs may attest, too, also where the patterns differ.
#[test]
fn identity_is_known_to_each_list_of_signers_by_its_own_pattern() {
    let (sigstore, signed) = (Sigstore::new(), Signed::unsigned());
    let bundle = sigstore.sign(RELEASE, &about(&signed, SIGN_PREDICATE), IN_TIME);
    let claim = sigstore.sign(RELEASE, &about(&signed, CLAIM), IN_TIME);
    let signed = signed
        .referrer(&bundle, SIGN_PREDICATE)
        .referrer(&claim, CLAIM);
    let stage = Stage::new(&sigstore, &signed);
    let of = |pattern: &str| format!("{{ identity = \"{pattern}\", issuer = \"{ISSUER}\" }}");
    for (signers, attesters, code) in [
        (WORKFLOW, "https://ci.example/**", 0),
        ("https://ci.example/**", WORKFLOW, 0),
        ("https://ci.example/other", "https://ci.example/**", 5),
        ("https://ci.example/**", "https://ci.example/other", 5),
    ] {
        let rest = format!(
            "[[rule.attestations]]\ntype = \"{CLAIM}\"\nsigners = [{}]",
            of(attesters)
        );
        stage.env.write("policy.toml", policy(&of(signers), &rest));
        let gated = stage.by_policy(&["gate"]);
        assert_eq!(gated.code, Some(code), "{signers} {attesters}: {gated}");
    }
}
