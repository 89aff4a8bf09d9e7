//! OpenSSF Model Signing: the reference implementation and sigstore's JavaScript verifier judge our
//! signatures, and we theirs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::programs::{MODELCTL, finish, succeed, text};
use crate::support::certificates::{issuer, root, signer};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// A folder with a model whose files Python and the specification put in different orders, and keys.
struct Bench {
    folder: TempDir,
    key: &'static str,
}

impl Bench {
    fn new(key: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let bench = Self { folder, key };
        bench.write("model/sub/vocab.txt", "a\n");
        bench.write("model/sub.txt", "b\n");
        bench.write("model/weights.bin", "weights");
        bench.write("model/empty", "");
        bench.write("model/.gitignore", "x");
        for (from, to) in [("pkcs8.pem", "key.pem"), ("pub", "key.pub")] {
            let content = fs::read(format!("{VECTORS}/keys/{key}.{from}")).unwrap();
            bench.write(to, content);
        }
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(bench.path("key.pem"), private).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path());
        command.env("HOME", self.folder.path());
        command
    }

    fn modelctl(&self, arguments: &[&str]) -> Command {
        self.command(MODELCTL, arguments)
    }

    fn reference(&self, arguments: &[&str]) -> Command {
        let program = std::env::var_os("MODELCTL_TEST_MODEL_SIGNING")
            .expect("eval \"$(scripts/tools.sh signing)\" sets it");
        self.command(program, arguments)
    }

    /// Both verify a signature over a folder, and both refuse the folder changed in each way.
    fn judge(&self, model: &str, signature: &str) {
        let model_argument = format!("./{model}");
        let ours = [
            "verify",
            &model_argument,
            "--signature",
            signature,
            "--key",
            "key.pub",
        ];
        let theirs = [
            "verify",
            "key",
            model,
            "--signature",
            signature,
            "--public_key",
            "key.pub",
        ];
        succeed(&mut self.modelctl(&ours));
        succeed(&mut self.reference(&theirs));
        for (what, change) in CHANGES {
            let copy = self.path("kept");
            succeed(
                Command::new("cp")
                    .arg("-a")
                    .arg(self.path(model))
                    .arg(&copy),
            );
            change(&self.path(model));
            let (modelctl, reference) = (
                finish(&mut self.modelctl(&ours)),
                finish(&mut self.reference(&theirs)),
            );
            assert_eq!(
                modelctl.status.code(),
                Some(5),
                "{}: {what}: {}",
                self.key,
                text(&modelctl)
            );
            assert!(!reference.status.success(), "{}: {what}", self.key);
            fs::remove_dir_all(self.path(model)).unwrap();
            fs::rename(copy, self.path(model)).unwrap();
        }
    }
}

type Change = (&'static str, fn(&Path));

const CHANGES: [Change; 4] = [
    ("a byte changed", |model| {
        fs::write(model.join("weights.bin"), "weightz").unwrap()
    }),
    ("a file added", |model| {
        fs::write(model.join("extra"), "").unwrap()
    }),
    ("a file removed", |model| {
        fs::remove_file(model.join("sub.txt")).unwrap()
    }),
    ("a file renamed", |model| {
        fs::rename(model.join("sub.txt"), model.join("sub2.txt")).unwrap();
    }),
];

const CURVES: [&str; 3] = ["p256", "p384", "p521"];

#[test]
#[ignore = "needs model_signing"]
fn reference_accepts_folders_that_we_sign() {
    for curve in CURVES {
        let bench = Bench::new(curve);
        succeed(&mut bench.modelctl(&["sign", "./model", "--key", "key.pem", "-o", "model.sig"]));
        bench.judge("model", "model.sig");
        let inside = [
            "sign",
            "./model",
            "--key",
            "key.pem",
            "-o",
            "model/model.sig",
        ];
        succeed(&mut bench.modelctl(&inside));
        bench.judge("model", "model/model.sig");
    }
}

#[test]
#[ignore = "needs model_signing"]
fn we_accept_folders_that_the_reference_signs() {
    for curve in CURVES {
        let bench = Bench::new(curve);
        let sign = [
            "sign",
            "key",
            "model",
            "--private_key",
            "key.pem",
            "--signature",
        ];
        succeed(&mut bench.reference(&[&sign[..], &["model.sig"]].concat()));
        bench.judge("model", "model.sig");
        succeed(&mut bench.reference(&[&sign[..], &["model/model.sig"]].concat()));
        bench.judge("model", "model/model.sig");
    }
}

/// The folder that `pull` writes is what the signature layer covers.
#[test]
#[ignore = "needs model_signing"]
fn reference_accepts_a_pulled_folder_with_its_signature_layer() {
    for curve in CURVES {
        let bench = Bench::new(curve);
        let pack = [
            "pack",
            "./model",
            "-o",
            "oci:layout:v1",
            "--sign-key",
            "key.pem",
        ];
        succeed(&mut bench.modelctl(&pack));
        succeed(&mut bench.modelctl(&["pull", "oci:layout:v1", "-o", "pulled"]));
        bench.judge("pulled", "pulled/.modelctl/signatures/0.sig");
        succeed(&mut bench.modelctl(&["verify", "./pulled", "--key", "key.pub"]));
    }
}

/// One file is called `.` by the reference, and by its name by us.
#[test]
#[ignore = "needs model_signing"]
fn model_of_one_file_is_verified_whoever_signed_it() {
    let bench = Bench::new("p256");
    let sign = [
        "sign",
        "key",
        "model/weights.bin",
        "--private_key",
        "key.pem",
    ];
    succeed(&mut bench.reference(&[&sign[..], &["--signature", "one.sig"]].concat()));
    let verify = [
        "verify",
        "./model/weights.bin",
        "--signature",
        "one.sig",
        "--key",
        "key.pub",
    ];
    succeed(&mut bench.modelctl(&verify));
    bench.write("model/weights.bin", "weightz");
    assert_eq!(finish(&mut bench.modelctl(&verify)).status.code(), Some(5));
}

/// The certificate method: a leaf, an intermediate that the bundle brings, and a root.
#[test]
#[ignore = "needs model_signing"]
fn both_verify_what_either_signs_with_a_certificate() {
    let bench = Bench::new("p256");
    let top = root(issuer("root", None));
    let middle = top.issue(issuer("middle", None));
    let leaf = middle.issue(signer("signer"));
    bench.write("root.pem", &top.pem);
    bench.write("middle.pem", &middle.pem);
    bench.write("leaf.pem", &leaf.pem);
    bench.write("other.pem", &root(issuer("root", None)).pem);
    bench.write("leaf.key", &leaf.key);
    both_verify_certificates(&bench);
}

/// The same on P-521, of which the certificates are signed with three hashes.
#[test]
#[ignore = "needs model_signing"]
fn both_verify_what_either_signs_with_a_certificate_on_p521() {
    let bench = Bench::new("p521");
    for name in ["root.pem", "middle.pem", "leaf.pem", "leaf.key"] {
        let file = format!("{VECTORS}/certificates/p521/{name}");
        bench.write(name, fs::read(file).unwrap());
    }
    bench.write("other.pem", &root(issuer("root", None)).pem);
    both_verify_certificates(&bench);
}

/// Each signs with `leaf.pem`, which leads over `middle.pem` to `root.pem` and not to `other.pem`.
fn both_verify_certificates(bench: &Bench) {
    let ours = [
        "sign",
        "./model",
        "--key",
        "leaf.key",
        "-o",
        "ours.sig",
        "--certificate",
        "leaf.pem",
        "--certificate-chain",
        "middle.pem",
    ];
    succeed(&mut bench.modelctl(&ours));
    let theirs = [
        "sign",
        "certificate",
        "model",
        "--private_key",
        "leaf.key",
        "--signature",
        "theirs.sig",
        "--signing_certificate",
        "leaf.pem",
        "--certificate_chain",
        "middle.pem",
    ];
    succeed(&mut bench.reference(&theirs));
    for signature in ["ours.sig", "theirs.sig"] {
        let modelctl = |roots: &str| {
            let verify = [
                "verify",
                "./model",
                "--signature",
                signature,
                "--certificate-chain",
                roots,
            ];
            finish(&mut bench.modelctl(&verify)).status.code()
        };
        let reference = |roots: &str| {
            let verify = [
                "verify",
                "certificate",
                "model",
                "--signature",
                signature,
                "--certificate_chain",
                roots,
            ];
            finish(&mut bench.reference(&verify)).status.success()
        };
        assert_eq!(modelctl("root.pem"), Some(0), "{signature}");
        assert!(reference("root.pem"), "{signature}");
        assert_eq!(modelctl("other.pem"), Some(5), "{signature}");
        assert!(!reference("other.pem"), "{signature}");
    }
}

#[test]
#[ignore = "needs node and @sigstore/verify"]
fn sigstore_in_javascript_accepts_our_bundles() {
    let modules = std::env::var("MODELCTL_TEST_SIGSTORE_JS")
        .expect("eval \"$(scripts/tools.sh signing)\" sets it");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/verify_bundle.js"
    );
    // It hashes with SHA-256 whatever the curve, so the other curves are none of its business.
    let bench = Bench::new("p256");
    let sign = ["sign", "./model", "--key", "key.pem", "-o", "model.sig"];
    succeed(&mut bench.modelctl(&sign));
    let judge = |signature: &str| {
        finish(&mut bench.command("node", &[script, &modules, signature, "key.pub"]))
    };
    let accepted = judge("model.sig");
    assert!(accepted.status.success(), "{}", text(&accepted));
    let mut bundle = fs::read_to_string(bench.path("model.sig")).unwrap();
    let at = bundle.find("\"sig\":\"").unwrap() + 60;
    let other = if &bundle[at..=at] == "A" { "B" } else { "A" };
    bundle.replace_range(at..=at, other);
    bench.write("changed.sig", bundle);
    let refused = judge("changed.sig");
    assert!(
        text(&refused).contains("SIGNATURE_ERROR"),
        "{}",
        text(&refused)
    );
}

/// The adapter that runs the public conformance suite.
#[test]
#[ignore = "needs python3"]
fn conformance_adapter_signs_and_verifies() {
    let adapter = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/conformance/model_signing_adapter"
    );
    let bench = Bench::new("p256");
    let run = |arguments: &[&str]| {
        let mut command = bench.command(adapter, arguments);
        finish(command.env("MODELCTL", MODELCTL)).status.code()
    };
    let extra = bench.path("model/extra");
    let extra = extra.to_str().unwrap();
    bench.write("model/extra", "x");
    let sign = [
        "sign-model",
        "--method",
        "key",
        "--model-path",
        "model",
        "--output-bundle",
        "b.sig",
        "--private-key",
        "key.pem",
        "--ignore-paths",
        extra,
    ];
    assert_eq!(run(&sign), Some(0));
    let verify = [
        "verify-model",
        "--method",
        "key",
        "--model-path",
        "model",
        "--bundle",
        "b.sig",
        "--public-key",
        "key.pub",
    ];
    assert_eq!(run(&verify), Some(0));
    bench.write("model/more", "x");
    assert_eq!(run(&verify), Some(5));
    assert_eq!(
        run(&[&verify[..], &["--ignore-unsigned-files"]].concat()),
        Some(0)
    );
    let keyless = [
        "verify-model",
        "--method",
        "sigstore",
        "--model-path",
        "model",
        "--bundle",
        "b.sig",
    ];
    assert_eq!(run(&keyless), Some(2));
}
