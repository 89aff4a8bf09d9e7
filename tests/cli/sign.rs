//! `sign` and `verify` of folders, and `pack --sign-key`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::certificates::{issuer, root, signer};
use crate::support::embedded::Embedded;
use crate::support::env::Env;

const KEY: &str = "key.pem";
const PUBLIC: &str = "key.pub";

/// A model, and a pair of keys beside it.
fn env_with_key() -> Env {
    let env = Env::new();
    env.write("model/weights.bin", [7; 3000]);
    env.write("model/sub/vocab.txt", "a\n");
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/keys");
    let read = |name: &str| fs::read(Path::new(vectors).join(name)).unwrap();
    let key = env.write(KEY, read("p256.pkcs8.pem"));
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    env.write(PUBLIC, read("p256.pub"));
    env.write("other.pub", read("p384.pub"));
    env
}

const VERIFY: [&str; 6] = [
    "verify",
    "./model",
    "--signature",
    "model.sig",
    "--key",
    PUBLIC,
];

#[test]
fn folder_is_signed_and_verified() {
    let env = env_with_key();
    env.run(&["sign", "./model", "--key", KEY]).is("\
exit 0
model.sig
--- stderr
signed 2 files of ./model
");
    let verified = env.run(&VERIFY);
    assert_eq!(verified.code, Some(0), "{verified}");
    let lines: Vec<&str> = verified.stdout.lines().collect();
    assert!(
        lines[0].starts_with("pass  signature  model.sig"),
        "{verified}"
    );
    assert_eq!(lines.len(), 3);
    let report = env.run(&["sign", "./model", "--key", KEY, "--json"]).json();
    assert_eq!(report["files"], 2);
    assert_eq!(report["signature"], "model.sig");
    let again = fs::read(env.path("model.sig")).unwrap();
    env.run(&["sign", "./model", "--key", KEY]).ok();
    assert_eq!(fs::read(env.path("model.sig")).unwrap(), again);
}

#[test]
fn signature_in_the_folder_is_not_signed_itself() {
    let env = env_with_key();
    env.write("model/cache/x", "x");
    let sign = ["sign", "./model", "--key", KEY, "-o", "model/model.sig"];
    env.run(&[&sign[..], &["--ignore-path", "cache"]].concat())
        .ok();
    let report = env
        .run(&[&sign[..], &["--ignore-path", "cache", "--json"]].concat())
        .json();
    let expected = [
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        "cache",
        "model.sig",
    ];
    assert_eq!(report["ignorePaths"], serde_json::json!(expected));
    let verify = [
        "verify",
        "./model",
        "--signature",
        "model/model.sig",
        "--key",
        PUBLIC,
    ];
    let verified = env.run(&verify);
    assert_eq!(verified.code, Some(0), "{verified}");
    assert!(
        verified
            .stdout
            .contains("; leaves out `cache`, `model.sig`"),
        "{verified}"
    );
}

#[test]
fn every_fault_of_a_signed_folder_is_listed() {
    let env = env_with_key();
    env.run(&["sign", "./model", "--key", KEY, "-q"]).ok();
    env.write("model/weights.bin", [8; 3000]);
    env.write("model/extra.txt", "x");
    let failed = env.run(&VERIFY);
    assert_eq!(failed.code, Some(5));
    let faults: Vec<&str> = failed
        .stdout
        .lines()
        .filter(|line| line.starts_with("FAIL"))
        .collect();
    assert_eq!(faults.len(), 2, "{failed}");
    assert!(faults[0].contains("weights.bin") && faults[0].contains("signed was sha256:"));
    assert!(faults[1].contains("extra.txt") && faults[1].ends_with("it was not signed"));
    assert_eq!(failed.stderr, "error: 2 of 4 checks failed\n");
    env.write("model/weights.bin", [7; 3000]);
    env.run(&[&VERIFY[..], &["--ignore-unsigned-files"]].concat())
        .ok();
    env.run(&[&VERIFY[..], &["--ignore-path", "extra.txt"]].concat())
        .ok();
}

#[test]
fn signature_by_another_key_fails() {
    let env = env_with_key();
    env.run(&["sign", "./model", "--key", KEY, "-q"]).ok();
    let verify = [
        "verify",
        "./model",
        "--signature",
        "model.sig",
        "--key",
        "other.pub",
    ];
    let failed = env.run(&verify);
    assert_eq!(failed.code, Some(5));
    let lines: Vec<&str> = failed.stdout.lines().collect();
    assert!(
        lines[0].starts_with("unchecked  signature  model.sig  the signature is by another key")
    );
    assert_eq!(
        lines[1],
        "FAIL       signature  model.sig  no signature by a signer who is trusted"
    );
    env.run(&[&verify[..], &["--key", PUBLIC]].concat()).ok();
}

/// Security row A40: nothing that is no signature passes for one.
#[test]
fn a40_broken_signature_files_fail() {
    let env = env_with_key();
    for content in ["", "{}", "[]", "null"] {
        env.write("model.sig", content);
        let failed = env.run(&VERIFY);
        assert_eq!(failed.code, Some(5), "{failed}");
        assert!(
            failed
                .stdout
                .starts_with("FAIL  signature  model.sig  the signature bundle is malformed")
        );
    }
    fs::remove_file(env.path("model.sig")).unwrap();
    env.run(&VERIFY).is("\
exit 3
--- stderr
error: `model.sig`: No such file or directory (os error 2)
");
}

#[test]
fn signature_needs_to_know_whom_to_trust() {
    let env = env_with_key();
    env.run(&["sign", "./model", "--key", KEY, "-q"]).ok();
    let unsaid = env.run(&VERIFY[..4]);
    assert_eq!(unsaid.code, Some(2), "{unsaid}");
    let stray = env.run(&["verify", "./model", "--ignore-unsigned-files"]);
    assert_eq!(stray.code, Some(2), "{stray}");
}

#[test]
fn what_cannot_be_signed_leaves_no_signature() {
    let env = env_with_key();
    std::os::unix::fs::symlink("weights.bin", env.path("model/link")).unwrap();
    env.run(&["sign", "./model", "--key", KEY]).is("\
exit 1
--- stderr
error: `link` cannot be signed: it is a symbolic link; put the real file in its place, or leave it out with --ignore-path
");
    assert!(!env.path("model.sig").exists());
    env.run(&["sign", "./model", "--key", KEY, "--ignore-path", "*.bin"])
        .is("\
exit 2
--- stderr
error: `*.bin` cannot be left out of a signature: patterns are not known to OpenSSF Model Signing
");
}

#[test]
fn packed_signature_travels_with_the_model() {
    let env = env_with_key();
    let signed = env
        .run(&["pack", "./model", "-t", "m:v1", "--sign-key", KEY, "-q"])
        .ok();
    let pinned = env.run(&[
        "pack",
        "./model",
        "-o",
        "oci:out:v1",
        "--sign-key",
        KEY,
        "-q",
    ]);
    assert_eq!(pinned.ok(), signed);
    let unsigned = env.run(&["pack", "./model", "-t", "m:v0", "-q"]).ok();
    assert_ne!(unsigned, signed);
    env.run(&["pull", "store:m:v1", "-o", "pulled", "-q"]).ok();
    let verified = env.run(&["verify", "./pulled", "--key", PUBLIC]);
    assert_eq!(verified.code, Some(0), "{verified}");
    let last = verified.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("pass  signature       .modelctl/signatures/0.sig  by key "),
        "{verified}"
    );
    env.run(&["cp", "store:m:v1", "oci-archive:m.tar:v1", "-q"])
        .ok();
    env.run(&["pull", "oci-archive:m.tar:v1", "-o", "copied", "-q"])
        .ok();
    env.run(&["verify", "./copied", "--key", PUBLIC, "--key", "other.pub"])
        .ok();
}

/// Packing and sending in one flow signs what was hashed on the way.
#[test]
fn pushed_signature_travels_with_the_model() {
    let env = env_with_key();
    let registry = Embedded::new();
    let reference = format!("{}/demo/m:v1", registry.address);
    let pushed = env.run(&["push", "./model", &reference, "--sign-key", KEY, "-q"]);
    let packed = env.run(&["pack", "./model", "-t", "m:v1", "--sign-key", KEY, "-q"]);
    assert_eq!(pushed.ok(), packed.ok());
    env.run(&["pull", &reference, "-o", "pulled", "-q"]).ok();
    env.run(&["verify", "./pulled", "--key", PUBLIC]).ok();
}

/// Security rows A40 and A41: a signature that is gone, by another, of another model, or too many.
#[test]
fn a41_pulled_folder_without_a_signature_of_its_own_fails() {
    let env = env_with_key();
    env.run(&["pack", "./model", "-t", "m:v1", "--sign-key", KEY, "-q"])
        .ok();
    env.run(&["pull", "store:m:v1", "-o", "pulled", "-q"]).ok();
    let verify = |key: &str| {
        let run = env.run(&["verify", "./pulled", "--key", key]);
        assert_eq!(run.code, Some(5), "{run}");
        run.stdout.lines().last().unwrap().to_owned()
    };
    let by_another = verify("other.pub");
    assert!(
        by_another.ends_with("no signature by a signer who is trusted"),
        "{by_another}"
    );

    let signature = env.path("pulled/.modelctl/signatures/0.sig");
    env.write("another/x", "x");
    env.run(&["pack", "./another", "-t", "x:v1", "--sign-key", KEY, "-q"])
        .ok();
    env.run(&["pull", "store:x:v1", "-o", "x", "-q"]).ok();
    fs::copy(env.path("x/.modelctl/signatures/0.sig"), &signature).unwrap();
    let run = env.run(&["verify", "./pulled", "--key", PUBLIC]);
    assert_eq!(run.code, Some(5));
    assert!(
        run.stdout.contains("the signature is over another model"),
        "{run}"
    );

    for number in 1..=50 {
        env.write(&format!("pulled/.modelctl/signatures/{number}.sig"), "{}");
    }
    let many = verify(PUBLIC);
    assert!(
        many.ends_with("too many signatures: 51, the limit is 50"),
        "{many}"
    );

    fs::remove_dir_all(env.path("pulled/.modelctl/signatures")).unwrap();
    let none = verify(PUBLIC);
    assert!(none.ends_with("no signature found"), "{none}");
    env.run(&["verify", "./pulled", "-q"]).ok();
}

/// The files are hashed once; a signature over them is worth nothing where they differ.
#[test]
fn signature_of_a_changed_folder_is_not_accepted() {
    let env = env_with_key();
    env.run(&["pack", "./model", "-t", "m:v1", "--sign-key", KEY, "-q"])
        .ok();
    env.run(&["pull", "store:m:v1", "-o", "pulled", "-q"]).ok();
    env.write("pulled/weights.bin", [8; 3000]);
    let failed = env.run(&["verify", "./pulled", "--key", PUBLIC]);
    assert_eq!(failed.code, Some(5));
    let last = failed.stdout.lines().last().unwrap();
    assert!(
        last.ends_with("they are over another folder: see the other checks"),
        "{failed}"
    );
}

#[test]
fn certificate_names_the_signer() {
    let env = env_with_key();
    let top = root(issuer("root", None));
    let leaf = top.issue(signer("somebody"));
    env.write("root.pem", &top.pem);
    env.write("leaf.pem", &leaf.pem);
    let key = env.write("leaf.key", &leaf.key);
    fs::set_permissions(key, Permissions::from_mode(0o600)).unwrap();
    let sign = ["sign", "./model", "--certificate", "leaf.pem", "--key"];
    env.run(&[&sign[..], &["leaf.key"]].concat()).ok();
    let verify = ["verify", "./model", "--signature", "model.sig"];
    let trusting = |options: &[&str]| env.run(&[&verify[..], options].concat());
    let verified = trusting(&["--certificate-chain", "root.pem"]);
    assert_eq!(verified.code, Some(0), "{verified}");
    assert!(
        verified.stdout.contains("by `CN=somebody` with the key "),
        "{verified}"
    );
    trusting(&["--certificate-chain", "root.pem", "--key", PUBLIC]).ok();
    assert_eq!(trusting(&["--key", PUBLIC]).code, Some(5));
    env.write("other.pem", &root(issuer("root", None)).pem);
    let other = trusting(&["--certificate-chain", "other.pem"]);
    assert_eq!(other.code, Some(5));
    assert!(
        other
            .stdout
            .starts_with("unchecked  signature  model.sig  the certificate of `CN=somebody`")
    );
    let none = "no signature by a signer who is trusted";
    assert!(other.stdout.trim_end().ends_with(none), "{other}");
    env.run(&[&sign[..], &[KEY]].concat()).is("\
exit 2
--- stderr
error: the certificate of `CN=somebody` is not for the private key
");
    env.write("empty.pem", "");
    trusting(&["--certificate-chain", "empty.pem"]).is("\
exit 1
--- stderr
error: cannot use the certificates in `empty.pem`
  caused by: it holds no PEM certificate, or more than 1000
");
}

/// A layout without a tag is verified as a whole, unless a key asks who has signed what is in it.
#[test]
fn keys_are_not_passed_over_in_a_layout() {
    let env = env_with_key();
    env.run(&["pack", "./model", "-o", "oci:out:v1", "-q"]).ok();
    let layout = env.run(&["verify", "oci:out", "--key", PUBLIC]);
    assert_eq!(layout.code, Some(5), "{layout}");
    env.run(&[
        "pack",
        "./model",
        "-o",
        "oci:signed:v1",
        "--sign-key",
        KEY,
        "-q",
    ])
    .ok();
    env.run(&["verify", "oci:signed", "--key", PUBLIC]).ok();
    let all = ["verify", "./model", "--key", PUBLIC, "--all-keys"];
    env.run(&all).is("\
exit 2
--- stderr
error: --all-keys: a folder is checked against any of the keys; check each alone
");
}
