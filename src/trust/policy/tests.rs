use std::time::Duration;

use super::*;
use crate::trust::PublicKey;

const P256: &str = include_str!("../../../tests/vectors/keys/p256.pub");
const P384: &str = include_str!("../../../tests/vectors/keys/p384.pub");

fn parse(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, |key| match key {
        "p256.pub" => Ok(P256.to_owned()),
        "p384.pub" => Ok(P384.to_owned()),
        _ => Err(PolicyError::TooLarge),
    })
}

const WHOLE: &str = r#"
version = 1

[[rule]]
repositories = ["registry.example/prod/*"]
smoke-test = "attested"

[rule.signatures]
threshold = 2
forms = ["cosign", "cosign-legacy", "model-signing"]
ignored-paths = ["notes"]
signers = [
  { key = "p256.pub" },
  { key = "p384.pub" },
  { identity = "https://ci.example/**", issuer = "https://token.ci.example" },
]

[[rule.attestations]]
type = "https://in-toto.io/attestation/test-result/v0.1"
max-age = "30d"

[[rule.attestations]]
type = "https://slsa.dev/provenance/v1"
signers = [{ key = "p384.pub" }]

[rule.model]
licenses = ["Apache-2.0"]
formats = ["onnx"]
operators = ["ai.onnx:*", "com.microsoft:*"]
forbidden-operators = ["*:Loop"]
opsets = { "ai.onnx" = { min = 13, max = 21 }, "com.microsoft" = {} }
max-size = "4GiB"
max-file-size = "500MB"

[[rule]]
unsigned = true
"#;

/// A laxer rule further down is not reached by another spelling of the registry.
#[test]
fn rule_is_for_its_repositories_however_they_are_spelt() {
    let policy = parse(WHOLE).unwrap();
    for name in [
        "registry.example/prod/mlp",
        "REGISTRY.example/prod/mlp",
        "registry.example:443/prod/mlp",
    ] {
        assert_eq!(policy.rule_for(Some(name)).unwrap().number, 1, "{name}");
    }
    let other = policy.rule_for(Some("registry.example:5000/prod/mlp"));
    assert_eq!(other.unwrap().number, 2);
}

#[test]
fn policy_is_read_whole() {
    let policy = parse(WHOLE).unwrap();
    let rule = policy.rule_for(Some("registry.example/prod/mlp")).unwrap();
    assert_eq!(rule.number, 1);
    assert_eq!(rule.smoke_test, SmokeTest::Attested);
    let signatures = rule.signatures.as_ref().unwrap();
    assert_eq!((signatures.signers.len(), signatures.threshold), (3, 2));
    assert_eq!(signatures.ignored_paths, ["notes"]);
    let key = PublicKey::parse(P256.as_bytes()).unwrap();
    assert_eq!(signatures.signers[0], Signer::Key(key));
    let Signer::Identity(identity) = &signatures.signers[2] else {
        panic!("{:?}", signatures.signers[2]);
    };
    assert!(
        identity
            .identity
            .matches("https://ci.example/a/b@refs/tags/v1")
    );

    let [tested, built] = &rule.attestations[..] else {
        panic!("{:?}", rule.attestations);
    };
    assert_eq!(tested.max_age, Some(Duration::from_secs(30 * 24 * 3600)));
    assert_eq!(tested.signers, signatures.signers);
    assert_eq!((built.max_age, built.signers.len()), (None, 1));

    let model = &rule.model;
    assert_eq!(model.max_size, Some(4 << 30));
    assert_eq!(model.max_file_size, Some(500_000_000));
    let opsets = model.opsets.as_ref().unwrap();
    assert_eq!(opsets["ai.onnx"], OpsetRange { min: 13, max: 21 });
    assert_eq!(opsets["com.microsoft"].max, i64::MAX);
}

#[test]
fn first_rule_that_matches_decides() {
    let policy = parse(WHOLE).unwrap();
    for name in [
        None,
        Some("registry.example/dev/mlp"),
        Some("registry.example/prod/a/b"),
    ] {
        assert_eq!(policy.rule_for(name).unwrap().number, 2, "{name:?}");
    }
    let signed = WHOLE.split("[[rule]]\nunsigned").next().unwrap();
    let policy = parse(signed).unwrap();
    assert!(policy.rule_for(Some("registry.example/dev/mlp")).is_none());
    assert!(policy.rule_for(None).is_none());
}

/// What a policy leaves out or contradicts is an error, never a weaker policy.
#[test]
fn what_cannot_be_meant_is_refused_by_name() {
    let rows = [
        ("", "missing field `version`"),
        ("version = 1\nrule = []", "it has no rule"),
        (
            "version = 2\n[[rule]]\nunsigned = true",
            "version 2, expected 1",
        ),
        (
            "version = 1\n[[rule]]",
            "rule 1 of the policy: it names no signers",
        ),
        (
            "version = 1\n[[rule]]\nunsined = true",
            "unknown field `unsined`",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\nunsigned = true",
            "duplicate key",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\nsmoke-test = \"skipp\"",
            "unknown variant `skipp`",
        ),
        (
            "version = 1\n[[rule]]\nrepositories = []\nunsigned = true",
            "`repositories` is empty",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\n[rule.signatures]\nsigners = [{ key = \"p256.pub\" }]",
            "accepts `unsigned`",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nsigners = []",
            "`signers` is empty",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nthreshold = 0\nsigners = [{ key = \"p256.pub\" }]",
            "`threshold` is 0",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nthreshold = 2\nsigners = [{ key = \"p256.pub\" }]",
            "`threshold` is 2, and there are 1 signers",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nforms = []\nsigners = [{ key = \"p256.pub\" }]",
            "`forms` is empty",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nsigners = [{ key = \"p256.pub\" }, { key = \"p256.pub\" }]",
            "a signer is named twice",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nsigners = [{ key = \"p256.pub\", identity = \"x\", issuer = \"y\" }]",
            "a signer is `key`",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nsigners = [{ identity = \"x\" }]",
            "a signer is `key`",
        ),
        (
            "version = 1\n[[rule]]\n[rule.signatures]\nsigners = [{ pem = \"x\" }]",
            "rule 1 of the policy: cannot use the key `pem`",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\n[[rule.attestations]]\ntype = \"t\"",
            "the attestation `t` names no signers",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\n[[rule.attestations]]\ntype = \"t\"\nmax-age = \"30 parsecs\"\nsigners = [{ key = \"p256.pub\" }]",
            "`max-age` `30 parsecs`",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\n[rule.model]\nmax-size = \"big\"",
            "`max-size`: expected a size such as 500MB or 2GiB",
        ),
        (
            "version = 1\n[[rule]]\nunsigned = true\n[rule.model]\nopsets = { x = { min = 3, max = 2 } }",
            "`opsets` of `x` has `min` above `max`",
        ),
    ];
    for (text, message) in rows {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}\n{error}");
    }
}
