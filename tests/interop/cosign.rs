//! Real cosign and sigstore's JavaScript verifier judge what is signed here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::programs::{MODELCTL, Server, finish, succeed, text};

mod curves;

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp");
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// A folder with keys that cosign made, and a store.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.cosign(&["generate-key-pair", "--output-key-prefix", "cosign"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.0)
            .env("HOME", self.0.path())
            .env("MODELCTL_STORE", self.path("store"))
            .env("COSIGN_PASSWORD", "a passphrase")
            .args(arguments);
        command
    }

    fn modelctl(&self, arguments: &[&str]) -> String {
        let output = succeed(&mut self.command(MODELCTL, arguments));
        output.trim().to_owned()
    }

    fn cosign(&self, arguments: &[&str]) -> String {
        succeed(&mut self.command("cosign", arguments))
    }

    /// Runs a verification of cosign, which looks for no transparency log.
    fn judge(&self, verb: &str, key: &str, further: &[&str], pinned: &str) -> Output {
        let mut arguments = vec![verb, "--key", key, "--insecure-ignore-tlog=true"];
        arguments.push("--allow-http-registry");
        arguments.extend(further);
        arguments.push(pinned);
        finish(&mut self.command("cosign", &arguments))
    }

    fn accepts(&self, verb: &str, key: &str, further: &[&str], pinned: &str) -> String {
        let output = self.judge(verb, key, further, pinned);
        assert!(
            output.status.success(),
            "{pinned} {further:?}: {}",
            text(&output)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn refuses(&self, verb: &str, key: &str, further: &[&str], pinned: &str) {
        let output = self.judge(verb, key, further, pinned);
        assert!(
            !output.status.success(),
            "{pinned} {further:?}: {}",
            text(&output)
        );
    }

    fn pushed(&self, server: &Server, name: &str) -> (String, String) {
        let tagged = server.reference(&format!("{name}:v1"));
        let digest = self.modelctl(&["push", MODEL, &tagged, "-q"]);
        (tagged, server.reference(&format!("{name}@{digest}")))
    }
}

const LEGACY: [&str; 1] = ["--new-bundle-format=false"];

#[test]
#[ignore = "needs cosign and the registries"]
fn cosign_accepts_what_is_signed_here_in_both_forms_and_nothing_else() {
    let place = Place::new();
    place.modelctl(&["keygen", "-o", "other", "-q"]);
    for server in Server::all() {
        let (tagged, pinned) = place.pushed(&server, "demo/mlp");
        place.refuses("verify", "cosign.pub", &[], &pinned);
        let key = ["--key", "cosign.key"];
        let sign = ["sign", &tagged, "-a", "stage=release", "--legacy", "--oms"];
        let digest = place.modelctl(&[&sign[..], &key].concat());
        assert!(pinned.ends_with(&digest), "{}", server.name);
        for form in [&[][..], &LEGACY] {
            let claims = place.accepts("verify", "cosign.pub", form, &pinned);
            assert!(
                claims.contains(&digest) && claims.contains("release"),
                "{claims}"
            );
            let annotated = [form, &["-a", "stage=release"]].concat();
            place.accepts("verify", "cosign.pub", &annotated, &pinned);
            let otherwise = [form, &["-a", "stage=test"]].concat();
            place.refuses("verify", "cosign.pub", &otherwise, &pinned);
            place.refuses("verify", "other.pub", form, &pinned);
        }
        // The signatures of this artifact say nothing about another one.
        let (_, unsigned) = {
            let other = server.reference("demo/mlp:v2");
            let push = ["push", MODEL, &other, "--name", "another", "-q"];
            let digest = place.modelctl(&push);
            (other, server.reference(&format!("demo/mlp@{digest}")))
        };
        place.refuses("verify", "cosign.pub", &[], &unsigned);
        place.refuses("verify", "cosign.pub", &LEGACY, &unsigned);
    }
}

/// Four bytes changed in the registry's own storage.
#[test]
#[ignore = "needs cosign and the registries"]
fn cosign_refuses_a_bundle_that_was_changed() {
    let place = Place::new();
    let server = Server::distribution();
    let (tagged, pinned) = place.pushed(&server, "demo/mlp");
    let report = place.modelctl(&["sign", &tagged, "--key", "cosign.key", "--json"]);
    place.accepts("verify", "cosign.pub", &[], &pinned);
    let report: Value = serde_json::from_str(&report).unwrap();
    let manifest = report["signatures"][0]["digest"].as_str().unwrap();
    let manifest = fs::read(server.blob_file(manifest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let bundle = server.blob_file(manifest["layers"][0]["digest"].as_str().unwrap());
    let mut changed = fs::read(&bundle).unwrap();
    let at = changed
        .windows(6)
        .position(|text| text == b"\"sig\":")
        .unwrap()
        + 20;
    changed[at..at + 4].rotate_left(1);
    fs::write(&bundle, changed).unwrap();
    place.refuses("verify", "cosign.pub", &[], &pinned);
}

#[test]
#[ignore = "needs cosign and the registries"]
fn cosign_accepts_attestations_made_here() {
    let place = Place::new();
    let provenance = r#"{"buildDefinition":{"buildType":"https://example.com/b","externalParameters":{}},"runDetails":{"builder":{"id":"https://example.com/ci"}}}"#;
    let predicates = [
        ("slsaprovenance1", provenance),
        ("spdxjson", r#"{"spdxVersion":"SPDX-2.3","name":"mlp"}"#),
        (
            "cyclonedx",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#,
        ),
        ("custom", "whatever text"),
        ("https://example.com/review/v1", r#"{"approved":true}"#),
    ];
    for server in Server::all() {
        let (tagged, pinned) = place.pushed(&server, "demo/mlp");
        for (kind, predicate) in predicates {
            fs::write(place.path("predicate"), predicate).unwrap();
            let kind = ["--type", kind];
            place.refuses("verify-attestation", "cosign.pub", &kind, &pinned);
            let attest = [
                "attest",
                &tagged,
                "--key",
                "cosign.key",
                "--predicate",
                "predicate",
            ];
            place.modelctl(&[&attest[..], &kind].concat());
            place.accepts("verify-attestation", "cosign.pub", &kind, &pinned);
        }
        place.modelctl(&["keygen", "-o", server.name, "-q"]);
        let other = format!("{}.pub", server.name);
        place.refuses("verify-attestation", &other, &["--type", "custom"], &pinned);
    }
}

#[test]
#[ignore = "needs cosign, the registries and the onnxruntime library"]
fn cosign_accepts_the_record_of_a_smoke_test() {
    let place = Place::new();
    let server = Server::distribution();
    let tagged = server.reference("demo/mlp:v1");
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    let with_library = ["--ort-lib", &library];
    let push = ["push", MODEL, &tagged, "--record", "2", "-q"];
    let digest = place.modelctl(&[&push[..], &with_library].concat());
    let pinned = server.reference(&format!("demo/mlp@{digest}"));
    let run = ["run", &tagged, "--attest", "--key", "cosign.key", "--json"];
    let report = place.modelctl(&[&run[..], &with_library].concat());
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["attestation"]["predicateType"], TEST_RESULT);
    let kind = ["--type", TEST_RESULT];
    place.accepts("verify-attestation", "cosign.pub", &kind, &pinned);
}

/// Keys of either program sign with the other.
#[test]
#[ignore = "needs cosign and the registries"]
fn cosign_signs_with_keys_made_here() {
    let place = Place::new();
    place.modelctl(&["keygen", "-o", "ours", "-q"]);
    let server = Server::distribution();
    let (_, pinned) = place.pushed(&server, "demo/mlp");
    let unlogged = ["--use-signing-config=false", "--tlog-upload=false"];
    let sign = [
        "sign",
        "--yes",
        "--key",
        "ours.key",
        "--allow-http-registry",
        &pinned,
    ];
    place.cosign(&[&sign[..], &unlogged].concat());
    place.accepts("verify", "ours.pub", &[], &pinned);
    let public = place.cosign(&["public-key", "--key", "ours.key"]);
    assert_eq!(public, fs::read_to_string(place.path("ours.pub")).unwrap());
    // One that cosign signed with is not written again.
    let sign = ["sign", &pinned, "--key", "ours.key", "--legacy", "--json"];
    let report: Value = serde_json::from_str(&place.modelctl(&sign)).unwrap();
    assert_eq!(report["signatures"].as_array().unwrap().len(), 2);
    place.accepts("verify", "ours.pub", &LEGACY, &pinned);
}

/// Signatures that cosign wrote stay when one is added here, and the other way round.
#[test]
#[ignore = "needs cosign and the registries"]
fn signatures_of_cosign_and_ours_stand_beside_each_other() {
    let place = Place::new();
    place.modelctl(&["keygen", "-o", "ours", "-q"]);
    for server in Server::all() {
        let (_, pinned) = place.pushed(&server, "demo/mlp");
        let ours = ["sign", &pinned, "--key", "ours.key", "--legacy", "-q"];
        let theirs = [
            "sign",
            "--yes",
            "--key",
            "cosign.key",
            "--allow-http-registry",
        ];
        let unlogged = ["--use-signing-config=false", "--tlog-upload=false", &pinned];
        let theirs = |form: &[&str]| {
            place.cosign(&[&theirs[..], form, &unlogged].concat());
        };
        theirs(&LEGACY);
        place.modelctl(&ours);
        theirs(&[]);
        for key in ["ours.pub", "cosign.pub"] {
            place.accepts("verify", key, &[], &pinned);
            place.accepts("verify", key, &LEGACY, &pinned);
        }
    }
}

/// Eight processes at once, each with a key of its own: every signature is there afterwards.
#[test]
#[ignore = "needs cosign and the registries"]
fn signers_at_the_same_time_lose_nothing() {
    let place = Place::new();
    let names: Vec<String> = (0..8).map(|number| format!("k{number}")).collect();
    for name in &names {
        place.modelctl(&["keygen", "-o", name, "-q"]);
    }
    for server in Server::all() {
        let (_, pinned) = place.pushed(&server, "demo/mlp");
        let start = |name: &String| -> Child {
            let key = format!("{name}.key");
            let sign = ["sign", &pinned, "--key", &key, "--legacy", "-q"];
            let mut command = place.command(MODELCTL, &sign);
            command.stdout(Stdio::null()).spawn().unwrap()
        };
        let signers: Vec<Child> = names.iter().map(start).collect();
        for mut signer in signers {
            assert!(signer.wait().unwrap().success(), "{}", server.name);
        }
        for name in &names {
            let key = format!("{name}.pub");
            place.accepts("verify", &key, &[], &pinned);
            place.accepts("verify", &key, &LEGACY, &pinned);
        }
    }
}

#[test]
#[ignore = "needs cosign and the registries"]
fn cosign_accepts_what_was_copied_through_a_layout_and_an_archive() {
    let place = Place::new();
    let (first, second) = (Server::distribution(), Server::debian());
    let (tagged, pinned) = place.pushed(&first, "demo/mlp");
    place.modelctl(&["sign", &tagged, "--key", "cosign.key", "--legacy", "-q"]);
    let last = second.reference("copy/mlp:v1");
    let steps = [
        tagged.as_str(),
        "oci:layout:v1",
        "oci-archive:a.tar:v1",
        &last,
    ];
    for step in steps.windows(2) {
        place.modelctl(&["cp", step[0], step[1], "-q"]);
    }
    let digest = pinned.split_once('@').unwrap().1;
    let copied = second.reference(&format!("copy/mlp@{digest}"));
    place.accepts("verify", "cosign.pub", &[], &copied);
    place.accepts("verify", "cosign.pub", &LEGACY, &copied);

    let bare = second.reference("bare/mlp:v1");
    place.modelctl(&["cp", &tagged, &bare, "--no-referrers", "-q"]);
    let bare = second.reference(&format!("bare/mlp@{digest}"));
    place.refuses("verify", "cosign.pub", &[], &bare);
    place.refuses("verify", "cosign.pub", &LEGACY, &bare);
}

#[test]
#[ignore = "needs cosign and sigstore's JavaScript verifier"]
fn javascript_verifier_accepts_the_bundle_and_refuses_a_changed_one() {
    let place = Place::new();
    let modules = std::env::var("MODELCTL_TEST_SIGSTORE_JS").expect("its folder of modules");
    place.modelctl(&["pack", MODEL, "-o", "oci:layout:v1", "-q"]);
    place.modelctl(&["sign", "oci:layout:v1", "--key", "cosign.key", "-q"]);
    place.modelctl(&["keygen", "-o", "other", "-q"]);
    let blobs = fs::read_dir(place.path("layout/blobs/sha256")).unwrap();
    let blobs = blobs.map(|blob| blob.unwrap().path());
    let is_bundle = |path: &PathBuf| {
        fs::read(path)
            .unwrap()
            .starts_with(b"{\"mediaType\":\"application/vnd.dev.sigstore")
    };
    let bundle = blobs.into_iter().find(is_bundle).unwrap();
    let judge = |bundle: &Path, key: &str| {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/interop/verify_bundle.js"
        );
        let mut command = Command::new("node");
        command
            .args([script, &modules])
            .arg(bundle)
            .arg(place.path(key));
        finish(&mut command)
    };
    let accepted = judge(&bundle, "cosign.pub");
    assert!(accepted.status.success(), "{}", text(&accepted));
    let refused = judge(&bundle, "other.pub");
    assert!(
        text(&refused).contains("SIGNATURE_ERROR"),
        "{}",
        text(&refused)
    );
    let mut changed: Value = serde_json::from_slice(&fs::read(&bundle).unwrap()).unwrap();
    let payload = changed["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = payload.replacen("eyJ", "eyI", 1);
    changed["dsseEnvelope"]["payload"] = payload.into();
    fs::write(place.path("changed"), changed.to_string()).unwrap();
    assert!(!judge(&place.path("changed"), "cosign.pub").status.success());
}

#[test]
#[ignore = "needs cosign and the registries"]
fn what_cosign_signs_is_accepted_here_and_by_no_other_key() {
    let place = Place::new();
    place.modelctl(&["keygen", "-o", "other", "-q"]);
    for (form, name) in [(&[][..], "demo/bundle"), (&LEGACY, "demo/legacy")] {
        for server in Server::all() {
            let (_, pinned) = place.pushed(&server, name);
            let verify = |key: &str| {
                let verify = ["verify", &pinned, "--key", key];
                let output = finish(&mut place.command(MODELCTL, &verify));
                (output.status.code(), text(&output))
            };
            let (code, shown) = verify("cosign.pub");
            assert_eq!(code, Some(5), "{}: {shown}", server.name);
            let sign = ["sign", "--yes", "--key", "cosign.key", &pinned];
            let options = ["--allow-http-registry", "--use-signing-config=false"];
            let unlogged = ["--tlog-upload=false"];
            place.cosign(&[&sign[..], form, &options, &unlogged].concat());
            let (code, shown) = verify("cosign.pub");
            assert_eq!(code, Some(0), "{}: {shown}", server.name);
            let (code, shown) = verify("other.pub");
            assert_eq!(code, Some(5), "{}: {shown}", server.name);
        }
    }
}
