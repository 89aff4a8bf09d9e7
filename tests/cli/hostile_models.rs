//! Models that nobody should run, through the binary: what is said in full, and the exit code.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use modelctl::oci::Digest;

use crate::support::env::{Env, Transcript};
use crate::support::graphs::{addition, attribute, endless, external, model, node, single};
use crate::support::models::number;

/// A pulled folder of the example model, and a file that could be ONNX Runtime but is not.
fn pulled() -> (Env, PathBuf) {
    let env = Env::new();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/mlp/model.onnx");
    env.write("mlp/model.onnx", fs::read(example).unwrap());
    env.write("mlp/custom_ops.so", "\x7fELF");
    env.run(&["pack", "./mlp", "-t", "mlp:v1", "-q"]).ok();
    env.run(&["pull", "store:mlp:v1", "-o", "out", "-q"]).ok();
    let library = env.write("libonnxruntime.so", "no library");
    (env, library)
}

/// Security rows A34 and A35: what is run is verified first, whatever was verified before.
#[test]
fn changed_model_is_not_run() {
    let (env, library) = pulled();
    let library = library.to_str().unwrap();
    let mut model = fs::read(env.path("out/model.onnx")).unwrap();
    model[100] ^= 1;
    let digest = Digest::sha256(&fs::read(env.path("mlp/model.onnx")).unwrap());
    env.write("out/model.onnx", &model);
    env.run(&["run", "./out", "--ort-lib", library]).is("\
exit 5
pass  model-manifest  .modelctl/manifest.json
pass  file            custom_ops.so            sha256:[DIGEST]
FAIL  file            model.onnx               expected sha256:[DIGEST] of 583 bytes, got sha256:[DIGEST] of 583 bytes
--- stderr
error: 1 of 3 checks failed
");
    let blob = env.root("home/.local/share/modelctl/blobs/sha256");
    let blob = blob.join(digest.hex());
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, &model).unwrap();
    env.run(&["run", "store:mlp:v1", "--ort-lib", library])
        .is("\
exit 5
--- stderr
error: blob `sha256:[DIGEST]`: got content with digest `sha256:[DIGEST]`

hint: if it came from the local store, `modelctl repair` takes it out
");
}

/// Security row A56: what comes with a model is never loaded, not even when it is named.
#[test]
fn library_in_a_model_is_refused() {
    let (env, _) = pulled();
    for way in [
        &["--ort-lib", "out/custom_ops.so"][..],
        &["--ort-lib", "mlp/../out/custom_ops.so"],
    ] {
        env.run(&[&["run", "./out"], way].concat()).is(&format!(
            "exit 4\n--- stderr\nerror: `{}` is inside the model's folder: libraries of a model are never \
             loaded; install ONNX Runtime elsewhere, or name its library with `--ort-lib`\n",
            way[1]
        ));
    }
}

/// Security row A55: what is found where a model should be.
#[test]
fn pack_says_what_a_broken_model_is() {
    for (bytes, what) in [
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
            "this is a Git LFS pointer",
        ),
        (
            "<!DOCTYPE html><html>Redirecting...</html>",
            "this is an HTML page",
        ),
        ("", "this is an empty file"),
        ("\u{7f}\u{7f}\u{7f}", "no valid ONNX at byte"),
    ] {
        let env = Env::new();
        env.write("m/model.onnx", bytes);
        let refused = env.run(&["pack", "./m", "-t", "x"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        let start = format!("error: `model.onnx`: {what}");
        assert!(refused.stderr.starts_with(&start), "{refused}");
        env.run(&["ls"]).is("exit 0\n");
    }
}

/// Packs and pulls a model of one file, and runs it with ONNX Runtime.
fn run_of(model: &[u8], options: &[&str]) -> Transcript {
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    let env = Env::new().with("ORT_DYLIB_PATH", library);
    env.write("m/model.onnx", model);
    env.write("m/custom_ops.so", "\x7fELF");
    env.run(&["pack", "./m", "-t", "m:v1", "-q"]).ok();
    env.run(&[&["run", "store:m:v1"], options].concat())
}

/// Security row A54: a model that never ends, and one that takes all memory.
#[test]
#[ignore = "needs the onnxruntime library"]
fn model_without_measure_meets_its_limits() {
    let negate = node(("", "Neg"), &["state"], &["next"], &[]);
    run_of(&endless(negate), &["--time-limit", "5"]).is("\
exit 1
--- stderr
error: ONNX Runtime was stopped after 5 s, the time limit
");
    let axis = attribute("axis", &number(3, 0), 2);
    let double = node(("", "Concat"), &["state", "state"], &["next"], &axis);
    let refused = run_of(&endless(double), &["--memory-limit", "2048"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    // An error of ONNX Runtime where it notices; else its worker dies and the command says how.
    let reasons = ["Failed to allocate memory", "was killed by signal"];
    let is_named = reasons.iter().any(|reason| refused.stderr.contains(reason));
    assert!(is_named, "{refused}");
    assert_eq!(refused.stdout, "", "{refused}");
}

/// Security row A54: the same where its cases are recorded, and then nothing is packed.
#[test]
#[ignore = "needs the onnxruntime library"]
fn model_without_end_is_not_recorded() {
    let library = std::env::var("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    let env = Env::new().with("ORT_DYLIB_PATH", library);
    let negate = node(("", "Neg"), &["state"], &["next"], &[]);
    env.write("m/model.onnx", endless(negate));
    let record = ["--record", "1", "--time-limit", "2"];
    env.run(&[&["pack", "./m", "-t", "m:v1"][..], &record].concat())
        .is("\
exit 1
--- stderr
error: ONNX Runtime was stopped after 2 s, the time limit
");
    env.run(&["ls"]).is("exit 0\n");
}

/// Security rows A51 and A56: a model that needs foreign code, with the code beside it.
#[test]
#[ignore = "needs the onnxruntime library"]
fn model_with_its_own_library_is_not_run() {
    let custom = node(("my.domain", "Exfiltrate"), &["x"], &["y"], &[]);
    run_of(&model(&single(&custom, &[]), "my.domain"), &[]).is("\
exit 1
--- stderr
error: `model.onnx`: operator `Exfiltrate` of domain `my.domain` is neither standard nor a function of the model: libraries of custom operators are never loaded
");
    let engine = node(("com.microsoft", "EPContext"), &["x"], &["y"], &[]);
    run_of(&model(&single(&engine, &[]), "com.microsoft"), &[]).is("\
exit 1
--- stderr
error: `model.onnx`: operator `EPContext` of domain `com.microsoft` loads a compiled engine that nothing here can check
");
}

/// Security row A55: what only ONNX Runtime can judge.
#[test]
#[ignore = "needs the onnxruntime library"]
fn model_that_onnx_runtime_refuses_is_an_error() {
    let unknown = node(("", "NoSuchOperator"), &["x"], &["y"], &[]);
    let refused = run_of(&model(&single(&unknown, &[]), ""), &[]);
    assert_eq!(refused.code, Some(1), "{refused}");
    let start = "error: `model.onnx`: ONNX Runtime does not load it: ";
    assert!(refused.stderr.starts_with(start), "{refused}");
}

/// Security rows A50 to A53: external data that is not where or what it should be.
#[test]
fn unsafe_external_data_is_neither_packed_nor_run() {
    let with = |location: &str, offset: &str| {
        let entries = [("location", location), ("offset", offset)];
        model(&addition(&external(&[2], &entries)), "")
    };
    let env = Env::new();
    env.write("secret.bin", [7; 8]);
    env.write("m/w.bin", [0; 8]);
    for (bytes, reason) in [
        (with("../secret.bin", "0"), "location has a `..` component"),
        (
            with("*/_ORT_MEM_ADDR_/*", "0"),
            "location is an in-memory marker",
        ),
        (
            with("w.bin", "4"),
            "bytes 4 to 12 are beyond the 8 bytes of external data `w.bin`",
        ),
        (with("w.bin", "-1"), "offset of external data is `-1`"),
    ] {
        env.write("m/model.onnx", bytes);
        let refused = env.run(&["pack", "./m", "-t", "x"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        let start = format!("error: `model.onnx`: initializer `w`: {reason}");
        assert!(refused.stderr.starts_with(&start), "{refused}");
    }
    env.write("m/model.onnx", with("w.bin", "0"));
    env.run(&["pack", "./m", "-t", "m:v1", "-q"]).ok();
    env.run(&["pull", "store:m:v1", "-o", "out", "-q"]).ok();
    // The same bytes, but whoever has the other end can change them after they were verified.
    fs::remove_file(env.path("out/w.bin")).unwrap();
    symlink(env.path("m/w.bin"), env.path("out/w.bin")).unwrap();
    let library = env.write("libonnxruntime.so", "no library");
    let refused = env.run(&["run", "./out", "--ort-lib", library.to_str().unwrap()]);
    assert_eq!(refused.code, Some(5), "{refused}");
    assert!(
        refused.stdout.contains("FAIL  file            w.bin"),
        "{refused}"
    );
}
