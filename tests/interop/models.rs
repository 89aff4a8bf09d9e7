//! Every real model through every registry, with our client and with a client that knows nothing of us.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::programs::{MODELCTL, Server, files, finish, python, succeed, text};

/// Prints where the packages with models are, and writes a model with external data into a folder.
const PREPARE: &str = r#"
import importlib.util, onnx, pathlib, sys
folder = lambda package: pathlib.Path(importlib.util.find_spec(package).origin).parent
print(folder("magika") / "models/standard_v3_3/model.onnx")
silero = folder("silero_vad") / "data"
for name in ("silero_vad.onnx", "silero_vad_16k_op15.onnx"):
    print(silero / name)
model = onnx.load(folder("magika") / "models/standard_v3_3/model.onnx")
onnx.save_model(model, pathlib.Path(sys.argv[1]) / "model.onnx", save_as_external_data=True, location="weights.bin")
"#;

/// The example, the models that the PyPI packages magika and silero-vad carry, one with external
/// data, and a folder of two graphs with other files beside them.
fn models(folder: &Path) -> Vec<PathBuf> {
    let external = folder.join("external");
    fs::create_dir_all(&external).unwrap();
    let found = succeed(python().args(["-c", PREPARE]).arg(&external));
    let mut models = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mlp/model.onnx")];
    models.extend(found.lines().map(PathBuf::from));
    let two = folder.join("two");
    fs::create_dir_all(two.join("sub")).unwrap();
    fs::copy(&models[0], two.join("first.onnx")).unwrap();
    fs::copy(&models[1], two.join("sub/second.onnx")).unwrap();
    fs::write(two.join("README.md"), "Two models.\n").unwrap();
    fs::write(two.join("empty.txt"), "").unwrap();
    models.extend([external, two]);
    models
}

fn modelctl(store: &Path) -> Command {
    let mut command = Command::new(MODELCTL);
    command.env("MODELCTL_STORE", store);
    command
}

/// What was packed, as relative paths and bytes.
fn originals(model: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if model.is_dir() {
        return files(model, ".modelctl");
    }
    vec![(model.file_name().unwrap().into(), fs::read(model).unwrap())]
}

/// Packs with a recorded test, pushes, pulls by digest, compares, runs; returns the digest.
fn through(server: &Server, model: &Path, index: usize) -> String {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let reference = server.reference(&format!("models/m{index}:v1"));
    let mut pack = modelctl(&store);
    pack.arg("pack").arg(model);
    pack.args(["-t", &reference, "--record", "1"]);
    let digest = succeed(&mut pack).trim().to_owned();
    assert!(
        digest.starts_with("sha256:") && digest.len() == 71,
        "pack printed {digest:?}"
    );
    let pushed = succeed(modelctl(&store).args(["push", &reference]));
    assert_eq!(pushed.trim(), digest);

    let pinned = server.reference(&format!("models/m{index}@{digest}"));
    let target = folder.path().join("pulled");
    let elsewhere = folder.path().join("elsewhere");
    succeed(
        modelctl(&elsewhere)
            .args(["pull", &pinned, "-o"])
            .arg(&target),
    );
    assert!(
        originals(model) == files(&target, ".modelctl"),
        "{} came back differently",
        model.display()
    );
    succeed(modelctl(&elsewhere).arg("verify").arg(&target));
    succeed(modelctl(&elsewhere).args(["verify", &pinned]));
    succeed(modelctl(&elsewhere).arg("run").arg(&target));
    succeed(modelctl(&elsewhere).args(["run", &pinned]));
    digest
}

#[test]
#[ignore = "needs the registries and ONNX Runtime"]
fn real_models_come_back_bit_for_bit_from_every_registry() {
    let folder = TempDir::new().unwrap();
    let models = models(folder.path());
    for server in Server::all() {
        for (index, model) in models.iter().enumerate() {
            through(&server, model, index);
        }
    }
}

/// Runs each `.onnx` of two folders in Python's ONNX Runtime on the same random inputs; outputs must be equal to the bit.
const SAME_OUTPUTS: &str = r#"
import sys, pathlib, numpy as np, onnxruntime as ort
TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
original, split = map(pathlib.Path, sys.argv[1:])
paths = [original] if original.is_file() else sorted(original.rglob("*.onnx"))
root = original.parent if original.is_file() else original
compared = 0
for path in paths:
    sessions = [ort.InferenceSession(p, providers=["CPUExecutionProvider"]) for p in (path, split / path.relative_to(root))]
    for size in (1, 8, 64, 224, 256, 640):
        random = np.random.default_rng(7)
        feeds = {}
        for value in sessions[0].get_inputs():
            shape = [d if isinstance(d, int) else size for d in value.shape]
            dtype = TYPES[value.type]
            feeds[value.name] = (random.integers(0, 2, shape).astype(dtype) if np.issubdtype(dtype, np.integer) else random.random(shape, dtype))
        try:
            expected = sessions[0].run(None, feeds)
        except Exception:
            continue
        got = sessions[1].run(None, feeds)
        assert all(a.tobytes() == b.tobytes() for a, b in zip(expected, got)), path
        compared += 1
        break
    else:
        sys.exit(f"{path}: ran with no size")
print(compared)
"#;

#[test]
#[ignore = "needs the registries, oras and ONNX Runtime"]
fn oras_pulls_a_folder_that_onnx_runtime_loads_and_verify_accepts() {
    let folder = TempDir::new().unwrap();
    let server = Server::distribution();
    for (index, model) in models(folder.path()).iter().enumerate() {
        let digest = through(&server, model, index);
        let pinned = server.reference(&format!("models/m{index}@{digest}"));
        let target = folder.path().join(format!("oras{index}"));
        succeed(
            Command::new("oras")
                .args(["pull", "--plain-http", &pinned, "-o"])
                .arg(&target),
        );
        let compared = succeed(python().args(["-c", SAME_OUTPUTS]).arg(model).arg(&target));
        assert_ne!(compared.trim(), "0");
        succeed(modelctl(folder.path()).arg("verify").arg(&target));

        // One byte changed in the folder: verify says so, with the code for it.
        let graph = files(&target, ".modelctl")
            .into_iter()
            .find(|(path, _)| path.extension().is_some_and(|e| e == "onnx"));
        let (path, mut bytes) = graph.unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(target.join(&path), bytes).unwrap();
        let output = finish(modelctl(folder.path()).arg("verify").arg(&target));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(
            text(&output).contains(path.to_str().unwrap()),
            "{}",
            text(&output)
        );
    }
}
