//! `sign` and `attest` of artifacts in the store, in layouts and in a registry, and what `cp` and
//! `push` carry of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use modelctl::oci::{Descriptor, Digest, Document};
use modelctl::store::Layout;
use modelctl::trust::cosign::{SIGN_PREDICATE, SIGNATURE_ANNOTATION, SimpleSigning};
use modelctl::trust::{Bundle, PublicKey, Statement};
use serde_json::{Value, json};

use crate::support::artifact;
use crate::support::embedded::Embedded;
use crate::support::env::{Env, Transcript};

const STORE: &str = "home/.local/share/modelctl";
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
const NAME: &str = "registry.example/mlp:v1";
const SIGN: [&str; 4] = ["sign", "store:registry.example/mlp:v1", "--key", "a.key"];

/// An artifact in the store, and two keys.
fn env_with_artifact() -> (Env, Digest) {
    let env = Env::new().with("SOURCE_DATE_EPOCH", "1700000000");
    let digest = artifact::write(&env.root(STORE), NAME, b"12345");
    for (name, file) in [("a.key", "p256.pkcs8.pem"), ("b.key", "p384.sec1.pem")] {
        let key = env.write(name, fs::read(Path::new(KEYS).join(file)).unwrap());
        fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    }
    (env, digest)
}

fn public(name: &str) -> PublicKey {
    PublicKey::parse(&fs::read(Path::new(KEYS).join(name)).unwrap()).unwrap()
}

fn blob(layout: &Path, blob: &Descriptor) -> Vec<u8> {
    fs::read(layout.join("blobs/sha256").join(blob.digest.hex())).unwrap()
}

/// The bundles beside a manifest, as stored.
fn bundles(layout: &Path, subject: &Digest) -> Vec<Bundle> {
    let referrers = Layout::open(layout).unwrap().referrers_of(subject).unwrap();
    let manifest = |referrer: &Descriptor| {
        Document::parse(blob(layout, referrer), None)
            .unwrap()
            .manifest()
            .unwrap()
            .clone()
    };
    let read = |referrer| Bundle::parse(&blob(layout, &manifest(referrer).layers[0])).unwrap();
    referrers.iter().map(read).collect()
}

/// The layers under the `.sig` tag of an artifact: what was signed, and the signature.
fn legacy(layout: &Path, name: &str) -> Vec<(Vec<u8>, String)> {
    let manifest = Layout::open(layout).unwrap().resolve_name(name).unwrap();
    let document = Document::parse(blob(layout, &manifest), None).unwrap();
    let layers = &document.manifest().unwrap().layers;
    let signature = |layer: &Descriptor| layer.annotations[SIGNATURE_ANNOTATION].clone();
    layers
        .iter()
        .map(|layer| (blob(layout, layer), signature(layer)))
        .collect()
}

fn sig_of(digest: &Digest) -> String {
    format!("registry.example/mlp:sha256-{}.sig", digest.hex())
}

#[test]
fn digest_that_the_tag_had_is_signed_and_printed() {
    let (env, digest) = env_with_artifact();
    let id = public("p256.pub").id();
    let signed = env.run(&SIGN);
    signed.is(&format!(
        "\
exit 0
sha256:[DIGEST]
--- stderr
store:{NAME}: signed with key {id}
"
    ));
    assert_eq!(signed.ok(), digest.to_string());
    let [bundle] = bundles(&env.root(STORE), &digest).try_into().unwrap();
    bundle.envelope.verify(&public("p256.pub")).unwrap();
    let statement = Statement::parse(&bundle.envelope.payload).unwrap();
    assert_eq!(statement.predicate_type, SIGN_PREDICATE);
    assert_eq!(statement.subject[0].digest["sha256"], digest.hex());

    env.run(&SIGN).is(&format!(
        "\
exit 0
sha256:[DIGEST]
--- stderr
store:{NAME}: was signed already with key {id}
"
    ));
    let other = [
        "sign",
        SIGN[1],
        "--key",
        "b.key",
        "-a",
        "stage=test",
        "--json",
    ];
    let report = env.run(&other).json();
    assert_eq!(report["key"], public("p384.pub").id().to_string());
    assert_eq!(report["signatures"][0]["isNew"], true);
    let annotated = bundles(&env.root(STORE), &digest);
    let annotations = annotated.iter().map(|bundle| {
        Statement::parse(&bundle.envelope.payload).unwrap().subject[0]
            .annotations
            .clone()
    });
    let annotations: Vec<_> = annotations.filter(|found| !found.is_empty()).collect();
    assert_eq!(json!(annotations), json!([{"stage": "test"}]));
}

#[test]
fn legacy_signatures_are_appended_beside_the_artifact() {
    let (env, digest) = env_with_artifact();
    for key in ["a.key", "b.key", "a.key"] {
        let sign = ["sign", SIGN[1], "--key", key, "--legacy", "-q"];
        env.run(&sign).ok();
    }
    let layers = legacy(&env.root(STORE), &sig_of(&digest));
    assert_eq!(layers.len(), 2);
    for ((payload, signature), key) in layers.iter().zip(["p256.pub", "p384.pub"]) {
        let claim = SimpleSigning::parse(payload).unwrap();
        assert_eq!(claim.manifest(), digest);
        assert_eq!(claim, SimpleSigning::new("registry.example/mlp", digest));
        let signature = base64_of(signature);
        public(key).verify(payload, &signature).unwrap();
    }
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

#[test]
fn layouts_are_signed_and_archives_are_not() {
    let (env, digest) = env_with_artifact();
    env.run(&["cp", SIGN[1], "oci:out:v1", "-q"]).ok();
    env.run(&["cp", SIGN[1], "oci-archive:out.tar:v1", "-q"])
        .ok();
    let sign = |place: &str| env.run(&["sign", place, "--key", "a.key"]);
    assert_eq!(sign("oci:out:v1").ok(), digest.to_string());
    assert_eq!(bundles(&env.path("out"), &digest).len(), 1);
    sign("oci-archive:out.tar:v1").is("\
exit 2
--- stderr
error: `oci-archive:out.tar:v1` is read-only: an archive is written once, by `cp`
");
    let legacy = ["sign", "oci:out:v1", "--key", "a.key", "--legacy"];
    env.run(&legacy).is("\
exit 2
--- stderr
error: --legacy: the signature names the repository, and a layout has none: sign in the registry or the store
");
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let (env, _) = env_with_artifact();
    env.write("model/weights.bin", "w");
    env.run(&["sign", "./model", "--key", "a.key", "--oms"])
        .is("\
exit 2
--- stderr
error: --oms: is for artifacts
");
    env.run(&[&SIGN[..], &["-o", "x.sig"]].concat()).is("\
exit 2
--- stderr
error: --output: is for folders and files
");
    env.run(&[&SIGN[..], &["--oms"]].concat()).is(&format!(
        "\
exit 2
--- stderr
error: --oms: `store:{NAME}` has no model manifest, which lists the files that are signed
"
    ));
    env.run(&["sign", "store:absent:v1", "--key", "a.key"])
        .is("\
exit 3
--- stderr
error: `absent:v1` not found in `[ROOT]/home/.local/share/modelctl`

hint: `modelctl ls REGISTRY/REPOSITORY` lists tags, `modelctl ls` the local store
");
}

fn attested(env: &Env, kind: &str, predicate: &str) -> Transcript {
    env.write("predicate", predicate);
    let attest = ["attest", SIGN[1], "--type", kind, "--key", "a.key"];
    env.run(&[&attest[..], &["--predicate", "predicate"]].concat())
}

#[test]
fn claim_is_signed_byte_for_byte() {
    let (env, digest) = env_with_artifact();
    let predicate = r#"{"b": 123456789012345678901234, "a":1.10}"#;
    attested(&env, "slsaprovenance1", predicate).is(&format!(
        "\
exit 0
sha256:[DIGEST]
--- stderr
store:{NAME}: attested with key {}: https://slsa.dev/provenance/v1
",
        public("p256.pub").id()
    ));
    let [bundle] = bundles(&env.root(STORE), &digest).try_into().unwrap();
    bundle.envelope.verify(&public("p256.pub")).unwrap();
    let payload = String::from_utf8(bundle.envelope.payload).unwrap();
    assert!(
        payload.ends_with(&format!(r#""predicate":{predicate}}}"#)),
        "{payload}"
    );

    attested(&env, "custom", "any text").ok();
    let claims = bundles(&env.root(STORE), &digest).into_iter();
    let claims = claims.map(|bundle| Statement::parse(&bundle.envelope.payload).unwrap());
    let wrapped = json!({"Data": "any text", "Timestamp": "2023-11-14T22:13:20Z"});
    assert!(
        claims
            .map(|claim| claim.predicate)
            .any(|found| found == wrapped)
    );
}

#[test]
fn what_is_no_claim_is_refused_before_anything_is_signed() {
    let (env, digest) = env_with_artifact();
    attested(&env, "spdxjson", "[]").is("\
exit 1
--- stderr
error: the predicate is not a JSON object
");
    attested(&env, "spdxjson", r#"{"a":1,"a":2}"#).is("\
exit 1
--- stderr
error: the predicate is malformed: not valid JSON: duplicate member \"a\" at line 1 column 10
");
    let refused = attested(&env, "sbom", "{}");
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .contains("expected a URI or one of custom, cyclonedx"),
        "{refused}"
    );
    assert!(bundles(&env.root(STORE), &digest).is_empty());
}

#[test]
fn copies_carry_signatures_unless_they_are_not_to() {
    let (env, digest) = env_with_artifact();
    env.run(&[&SIGN[..], &["--legacy", "-q"]].concat()).ok();
    let registry = Embedded::new();
    let remote = format!("{}/copy/mlp:v1", registry.address);
    let places = [
        "oci:out:v1",
        "oci-archive:out.tar:v1",
        &remote,
        "oci:back:v1",
    ];
    let mut source = SIGN[1].to_owned();
    for place in places {
        env.run(&["cp", &source, place, "-q"]).ok();
        source = place.to_owned();
    }
    let back = env.path("back");
    assert_eq!(bundles(&back, &digest).len(), 1);
    let layers = legacy(&back, &format!("sha256-{}.sig", digest.hex()));
    assert_eq!(layers.len(), 1);

    env.run(&["cp", SIGN[1], "oci:alone:v1", "--no-referrers", "-q"])
        .ok();
    let alone = Layout::open(&env.path("alone")).unwrap();
    assert_eq!(alone.entries().unwrap().len(), 1);
}

#[test]
fn push_takes_along_what_was_signed_in_the_store() {
    let (env, digest) = env_with_artifact();
    let registry = Embedded::new();
    let name = format!("{}/mlp:v1", registry.address);
    let entry = format!("store:{name}");
    env.run(&["cp", SIGN[1], &entry, "-q"]).ok();
    let sign = ["sign", &entry, "--key", "a.key", "--legacy", "-q"];
    env.run(&sign).ok();
    let report = env.run(&["push", &name, "--json"]).json();
    assert_eq!(report["referrers"], 2);
    env.run(&["cp", &name, "oci:back:v1", "-q"]).ok();
    assert_eq!(bundles(&env.path("back"), &digest).len(), 1);

    let without = ["push", &name, "--no-referrers", "--json"];
    let report: Value = env.run(&without).json();
    assert_eq!(report["referrers"], 0);
}

#[test]
fn copy_adds_to_the_signatures_that_the_destination_has() {
    let (env, digest) = env_with_artifact();
    env.run(&[&SIGN[..], &["--legacy", "-q"]].concat()).ok();
    let other = "store:registry.example/other:v1";
    env.run(&["cp", SIGN[1], other, "--no-referrers", "-q"])
        .ok();
    env.run(&["sign", other, "--key", "b.key", "--legacy", "-q"])
        .ok();
    env.run(&["cp", SIGN[1], other, "-q"]).ok();
    env.run(&["cp", SIGN[1], other, "-q"]).ok();
    let name = format!("registry.example/other:sha256-{}.sig", digest.hex());
    let signers: Vec<_> = legacy(&env.root(STORE), &name)
        .into_iter()
        .map(|(payload, signature)| {
            let signature = base64_of(&signature);
            let is = |key: &&str| public(key).verify(&payload, &signature).is_ok();
            ["p256.pub", "p384.pub"].into_iter().find(is).unwrap()
        })
        .collect();
    assert_eq!(signers, ["p384.pub", "p256.pub"]);
}
