//! `run` and `pack --record`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use modelctl::oci::{Digest, Document};
use modelctl::store::Layout;
use modelctl::trust::predicate::{TEST_RESULT, TestResult, Verdict};
use modelctl::trust::{Bundle, PrivateKey, Statement};

use crate::support::env::Env;

const P256: &str = include_str!("../vectors/keys/p256.pkcs8.pem");

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");

fn env_with_model() -> Env {
    let env = Env::new();
    env.write("mlp/model.onnx", fs::read(MODEL).unwrap());
    env
}

/// The same with ONNX Runtime.
fn env_with_runtime() -> Env {
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    env_with_model().with("ORT_DYLIB_PATH", library)
}

fn pulled(env: &Env) {
    env.run(&["pack", "./mlp", "-t", "mlp:v1", "-q"]).ok();
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
}

#[test]
fn run_without_onnx_runtime_says_how_to_install_it() {
    let env = env_with_model();
    pulled(&env);
    env.run(&["run", "./out"]).is("\
exit 3
--- stderr
error: ONNX Runtime was not found beside the executable, in `$VIRTUAL_ENV`, `.venv`, `$CONDA_PREFIX` or the first `python3` on PATH: install it with `python3 -m venv .venv && .venv/bin/pip install onnxruntime`, or name its library with `--ort-lib`
");
    env.run(&["pack", "./mlp", "-t", "x", "--record", "1"])
        .is("\
exit 3
--- stderr
error: ONNX Runtime was not found beside the executable, in `$VIRTUAL_ENV`, `.venv`, `$CONDA_PREFIX` or the first `python3` on PATH: install it with `python3 -m venv .venv && .venv/bin/pip install onnxruntime`, or name its library with `--ort-lib`
");
}

#[test]
fn library_that_is_none_is_refused() {
    let env = env_with_model();
    pulled(&env);
    env.run(&["run", "./out", "--ort-lib", "absent.so"]).is("\
exit 3
--- stderr
error: `absent.so`: No such file or directory (os error 2)
");
    let library = env.write("not.so", "no library");
    env.run(&["run", "./out", "--ort-lib", library.to_str().unwrap()])
        .is("\
exit 1
--- stderr
error: `[ROOT]/work/not.so`: it does not load: [ROOT]/work/not.so: file too short
");
}

#[test]
fn options_for_made_inputs_need_made_inputs() {
    let env = env_with_model();
    env.run(&["pack", "./mlp", "-t", "x", "--shape", "features=1,10"])
        .is("\
exit 2
--- stderr
error: --shape: is for inputs that are made: give `--record` as well
");
    env.run(&["run", "./mlp", "--input", "x"]).is("\
exit 2
--- stderr
error: invalid value 'x' for '--input <NAME=@FILE>': expected NAME=@FILE

For more information, try '--help'.
");
    env.run(&["run", "./mlp", "-o", "out"]).is("\
exit 2
--- stderr
error: the following required arguments were not provided:
  --input <NAME=@FILE>

Usage: modelctl run --input <NAME=@FILE> --output <DIR> <ARTIFACT|DIR>

For more information, try '--help'.
");
    env.run(&["run", "./mlp", "--memory-limit", "10"]).is("\
exit 2
--- stderr
error: invalid value '10' for '--memory-limit <MIB>': expected 0 or at least 512 (MiB)

For more information, try '--help'.
");
    env.run(&["run", "./mlp", "--shape", "x=1,a"]).is("\
exit 2
--- stderr
error: invalid value 'x=1,a' for '--shape <INPUT=1,3,64,64>': `a` is not a length

For more information, try '--help'.
");
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn recorded_tests_travel_and_are_run() {
    let env = env_with_runtime();
    env.run(&["pack", "./mlp", "-t", "mlp:v1", "--record", "2"])
        .is("\
exit 0
sha256:[DIGEST]
--- stderr
5 files (737 B) in 3 layers (8.8 kB)
packed store:mlp:v1: 5 blobs (8.8 kB) new, 0 there already
");
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
    env.run(&["run", "./out"]).is("\
exit 0
CASE        GRAPH       OUTPUT  TYPE        RESULT  ABSOLUTE  RELATIVE  TIME
recorded-0  model.onnx  score   float[1,1]  equal   0         0         [TIME] ms
recorded-1  model.onnx  score   float[1,1]  equal   0         0         [TIME] ms
--- stderr
./out: 2 outputs equal, with ONNX Runtime [VERSION]
");
    env.run(&["run", "store:mlp:v1", "-q", "--json"]).ok();
    let traces = env.root("home/.cache/Microsoft");
    assert!(!traces.exists(), "ONNX Runtime keeps events there");
    let shaped = env.run(&["run", "./out", "--shape", "features=1,10"]);
    let said =
        "warning: --shape and --range were not used: the artifact has smoke tests of its own\n";
    assert!(shaped.stderr.starts_with(said), "{shaped}");
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn output_that_differs_is_exit_5() {
    let env = env_with_runtime();
    env.run(&["pack", "./mlp", "-t", "mlp:v1", "--record", "1", "-q"])
        .ok();
    // The same cases with another model: the recorded output is not what it gives.
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
    let mut model = fs::read(MODEL).unwrap();
    let at = model.len() / 2;
    model[at] ^= 0x10;
    env.write("other/model.onnx", &model);
    let tests = env.path("out/.modelctl/tests");
    env.run(&[
        "pack",
        "./other",
        "-t",
        "other:v1",
        "-q",
        "--tests",
        tests.to_str().unwrap(),
    ])
    .ok();
    env.run(&["run", "store:other:v1"]).is("\
exit 5
CASE        GRAPH       OUTPUT  TYPE        RESULT            ABSOLUTE  RELATIVE  TIME
recorded-0  model.onnx  score   float[1,1]  DIFFERS (1 of 1)  1.357e-2  3.611e-1  [TIME] ms
--- stderr
error: 1 of 1 outputs differ from the stored ones
");
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn model_is_run_once_on_given_inputs() {
    let env = env_with_runtime();
    pulled(&env);
    env.write("x.json", "[[1,2,3,4,5,6,7,8,9,10]]");
    env.run(&["run", "./out", "--input", "features=@x.json"])
        .is("\
exit 0
{
  \"score\": [
    [
      -11.79907
    ]
  ]
}
");
    env.run(&[
        "run",
        "./out",
        "--input",
        "features=@x.json",
        "-o",
        "outputs",
    ])
    .is("\
exit 0
outputs/output_0.npy
");
    env.run(&["run", "./out", "--input", "other=@x.json"]).is("\
exit 2
--- stderr
error: `model.onnx`: no input `other`: expected `features`
");
    env.run(&["run", "./out"]).is("\
exit 0
CASE    GRAPH       OUTPUT  TYPE        RESULT      ABSOLUTE  RELATIVE  TIME
(made)  model.onnx  score   float[1,1]  not stored  -         -         [TIME] ms
--- stderr
warning: the model ran, but nothing was compared: the artifact has no smoke tests
");
}

#[test]
fn attestation_needs_a_key_and_an_artifact() {
    let env = env_with_model();
    let key = env.write("a.key", P256);
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = env.run(&["run", "store:mlp:v1", "--attest"]);
    assert_eq!(refused.code, Some(2), "{refused}");
    let loosened = [
        "run",
        "store:mlp:v1",
        "--attest",
        "--key",
        "a.key",
        "--rtol",
        "1",
    ];
    assert_eq!(env.run(&loosened).code, Some(2));
    env.run(&["run", "./mlp", "--attest", "--key", "a.key"])
        .is("\
exit 2
--- stderr
error: --attest: a folder has no digest to attest: name the artifact
");
}

/// The statement beside the only entry of the store, if there is one.
fn attested(env: &Env) -> Option<Statement> {
    let store = Layout::open(&env.root("home/.local/share/modelctl")).unwrap();
    let mut entries = store.entries().unwrap().into_iter();
    let entry = entries.find(|entry| entry.name.is_some()).unwrap();
    let referrers = store.referrers_of(&entry.manifest.digest).unwrap();
    let referrer = referrers.first()?;
    let blob = |digest: &Digest| fs::read(store.root().join("blobs/sha256").join(digest.hex()));
    let manifest = Document::parse(blob(&referrer.digest).unwrap(), None).unwrap();
    let bundle = &manifest.manifest().unwrap().layers[0];
    let bundle = Bundle::parse(&blob(&bundle.digest).unwrap()).unwrap();
    let key = PrivateKey::parse(P256.as_bytes(), None).unwrap();
    bundle.envelope.verify(&key.public_key()).unwrap();
    let statement = Statement::parse(&bundle.envelope.payload).unwrap();
    assert_eq!(statement.predicate_type, TEST_RESULT);
    assert_eq!(
        statement.subject[0].digest["sha256"],
        entry.manifest.digest.hex()
    );
    Some(statement)
}

fn result_of(statement: &Statement) -> TestResult {
    TestResult::parse(statement.predicate.to_string().as_bytes()).unwrap()
}

fn env_to_attest(pack: &[&str]) -> Env {
    let env = env_with_runtime().with("SOURCE_DATE_EPOCH", "1700000000");
    let key = env.write("a.key", P256);
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    let packed = ["pack", "./mlp", "-t", "mlp:v1", "-q"];
    env.run(&[&packed[..], pack].concat()).ok();
    env
}

const ATTEST: [&str; 5] = ["run", "store:mlp:v1", "--attest", "--key", "a.key"];

#[test]
#[ignore = "needs the onnxruntime library"]
fn smoke_test_is_attested_for_the_digest_that_was_run() {
    let env = env_to_attest(&["--record", "2"]);
    let run = env.run(&[&ATTEST[..], &["--json"]].concat()).json();
    let result = result_of(&attested(&env).unwrap());
    assert_eq!(result.result, Verdict::Passed);
    assert_eq!(
        result.passed_tests,
        ["model.onnx#recorded-0", "model.onnx#recorded-1"]
    );
    assert_eq!(result.smoke_test.started_on, "2023-11-14T22:13:20Z");
    assert_eq!(result.smoke_test.runtime.version, run["runtime"]["version"]);
    assert_eq!(
        result.smoke_test.cases[0].outputs[0].largest_absolute,
        Some(0.0)
    );
    let names = result.configuration.iter().map(|file| file.name.as_deref());
    let names: Vec<_> = names.flatten().collect();
    assert_eq!(names, [".modelctl/manifest.json", ".modelctl/tests.tar"]);
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn model_without_tests_is_attested_as_warned() {
    let env = env_to_attest(&[]);
    env.run(&ATTEST).ok();
    let result = result_of(&attested(&env).unwrap());
    assert_eq!(
        (result.result, &result.warned_tests[0]),
        (Verdict::Warned, &"model.onnx".into())
    );
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn failed_test_is_attested_only_where_that_is_asked_for() {
    let env = env_to_attest(&["--record", "1"]);
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
    let case = env.path("out/.modelctl/tests/recorded-0");
    let target = env.path("tests/recorded-0");
    fs::create_dir_all(&target).unwrap();
    for file in ["input_0.pb", "output_0.pb"] {
        let mut bytes = fs::read(case.join(file)).unwrap();
        if file.starts_with("output") {
            let last = bytes.len() - 1;
            bytes[last] ^= 0x40;
        }
        fs::write(target.join(file), bytes).unwrap();
    }
    env.run(&["rm", "store:mlp:v1", "-q"]).ok();
    let pack = ["pack", "./mlp", "-t", "mlp:v1", "--tests", "./tests", "-q"];
    env.run(&pack).ok();
    let failed = env.run(&ATTEST);
    assert_eq!(failed.code, Some(5), "{failed}");
    assert!(
        failed
            .stderr
            .contains("nothing was attested: the smoke test did not pass")
    );
    assert_eq!(attested(&env), None);
    let failed = env.run(&[&ATTEST[..], &["--attest-failures"]].concat());
    assert_eq!(failed.code, Some(5), "{failed}");
    let result = result_of(&attested(&env).unwrap());
    assert_eq!(
        (result.result, result.failed_tests.len()),
        (Verdict::Failed, 1)
    );
}
