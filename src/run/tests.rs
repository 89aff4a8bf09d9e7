//! The example model through ONNX Runtime. `MODELCTL_TEST_ORT_LIB` names the library.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::ErrorKind;
use crate::model::{
    File, FilePath, Form, Graph, Interface, ModelDir, ModelManifest, Producer, Role, Sha256,
};

fn engine() -> &'static Engine {
    let library = std::env::var_os("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    Engine::load(&PathBuf::from(library).canonicalize().unwrap()).unwrap()
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

/// The example in a folder, with recorded cases in it.
fn recorded(cases: u32) -> (TempDir, ModelDir) {
    let folder = TempDir::new().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/mlp/model.onnx");
    fs::copy(example, folder.path().join("model.onnx")).unwrap();
    let options = RecordOptions {
        cases,
        ..RecordOptions::default()
    };
    let scratch = TempDir::new().unwrap();
    let source = (folder.path(), &[path("model.onnx")][..]);
    let recordings = record(engine(), source, &options, scratch.path()).unwrap();
    let [recording] = &recordings[..] else {
        panic!("{recordings:?}")
    };
    let tests = folder.path().join(".modelctl/tests");
    fs::create_dir_all(tests.parent().unwrap()).unwrap();
    fs::rename(&recording.folder, &tests).unwrap();
    let dir = model_dir(folder.path(), recording.cases.clone());
    (folder, dir)
}

/// What verifying the folder would give.
fn model_dir(root: &Path, tests: Vec<crate::model::Test>) -> ModelDir {
    let mut files: Vec<FilePath> = vec![path("model.onnx")];
    for test in &tests {
        for name in ["input_0.pb", "output_0.pb"] {
            files.push(path(&format!(".modelctl/tests/{}/{name}", test.case)));
        }
    }
    files.retain(|path| path.under(root).exists());
    let files = files.into_iter().map(|path| File {
        size: path.under(root).metadata().unwrap().len(),
        sha256: Sha256([0; 32]),
        executable: false,
        role: Role::Graph,
        extents: Vec::new(),
        path,
    });
    let graph = Graph {
        path: path("model.onnx"),
        ir_version: 8,
        interface: Interface::default(),
        opsets: Vec::new(),
        operators: Vec::new(),
        producer: Producer::default(),
    };
    let manifest = ModelManifest {
        schema_version: 1,
        requires: Vec::new(),
        name: None,
        version: None,
        licenses: Vec::new(),
        annotations: Default::default(),
        format: "onnx".to_owned(),
        layers: Vec::new(),
        files: files.collect(),
        graphs: vec![graph],
        tensors: Vec::new(),
        tests,
    };
    ModelDir::new(root.to_path_buf(), manifest, Form::Original)
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn recorded_cases_pass_and_are_the_same_every_time() {
    let (folder, dir) = recorded(3);
    let report = smoke_test(engine(), &dir, &SmokeOptions::default()).unwrap();
    report.verdict().unwrap();
    assert_eq!(report.compared(), 3);
    assert_eq!(report.runtime.version, engine().version().to_string());
    let case = &report.cases[1];
    assert_eq!(case.case.as_deref(), Some("recorded-1"));
    assert_eq!(case.inputs[0].name, "features");
    assert_eq!(case.inputs[0].shape, [1, 10]);
    let found = serde_json::to_value(&case.outputs[0]).unwrap();
    let expected = json!({
        "name": "score", "dtype": "float", "shape": [1, 1], "result": "equal", "elements": 1,
        "differing": 0, "largestAbsolute": 0.0, "largestRelative": 0.0, "worst": null,
    });
    assert_eq!(found, expected);
    let (other, _) = recorded(3);
    for case in 0..3 {
        for name in ["input_0.pb", "output_0.pb"] {
            let file = format!(".modelctl/tests/recorded-{case}/{name}");
            let read = |folder: &TempDir| fs::read(folder.path().join(&file)).unwrap();
            assert_eq!(read(&folder), read(&other), "{file}");
        }
    }
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_wrong_stored_output_is_a_difference() {
    let (folder, dir) = recorded(2);
    let output = folder.path().join(".modelctl/tests/recorded-1/output_0.pb");
    let (name, tensor) = decode_proto(&fs::read(&output).unwrap()).unwrap();
    let mut bytes = tensor.bytes().unwrap().to_vec();
    bytes[3] ^= 0x80;
    let wrong = Tensor::new(tensor.dtype(), tensor.shape().to_vec(), bytes).unwrap();
    fs::write(&output, encode_proto(&name, &wrong)).unwrap();
    let report = smoke_test(engine(), &dir, &SmokeOptions::default()).unwrap();
    let error = report.verdict().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 of 2 outputs differ from the stored ones"
    );
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    // With a tolerance that allows it, it passes.
    let lenient = SmokeOptions {
        atol: Some(100.0),
        ..SmokeOptions::default()
    };
    let report = smoke_test(engine(), &dir, &lenient).unwrap();
    report.verdict().unwrap();
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_model_without_cases_is_run_on_made_inputs() {
    let (folder, dir) = recorded(1);
    let bare = model_dir(dir.root(), Vec::new());
    let report = smoke_test(engine(), &bare, &SmokeOptions::default()).unwrap();
    report.verdict().unwrap();
    assert_eq!((report.cases.len(), report.compared()), (1, 0));
    assert_eq!(report.cases[0].case, None);
    // A case without its outputs only shows that it runs.
    fs::remove_file(folder.path().join(".modelctl/tests/recorded-0/output_0.pb")).unwrap();
    let dir = model_dir(dir.root(), dir.manifest().tests.clone());
    let report = smoke_test(engine(), &dir, &SmokeOptions::default()).unwrap();
    assert_eq!((report.cases.len(), report.compared()), (1, 0));
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn files_of_every_format_are_inputs() {
    let (folder, dir) = recorded(1);
    let case = folder.path().join(".modelctl/tests/recorded-0");
    let (_, input) = decode_proto(&fs::read(case.join("input_0.pb")).unwrap()).unwrap();
    let (_, expected) = decode_proto(&fs::read(case.join("output_0.pb")).unwrap()).unwrap();
    let given = TempDir::new().unwrap();
    fs::write(given.path().join("x.npy"), encode_npy(&input).unwrap()).unwrap();
    fs::write(given.path().join("x.pb"), encode_proto("any", &input)).unwrap();
    let text = to_json(&input).unwrap().to_string();
    fs::write(given.path().join("x.json"), text).unwrap();
    for name in ["x.npy", "x.pb", "x.json"] {
        let options = InferOptions {
            inputs: vec![("features".to_owned(), given.path().join(name))],
            ..InferOptions::default()
        };
        let inference = infer(engine(), &dir, &options).unwrap();
        assert_eq!(
            inference.outputs,
            [("score".to_owned(), Some(expected.clone()))]
        );
        let value = inference.to_json().unwrap();
        assert_eq!(value, json!({"score": to_json(&expected).unwrap()}));
        let files = inference.write(&given.path().join("out")).unwrap();
        assert_eq!(decode_npy(&fs::read(&files[0]).unwrap()).unwrap(), expected);
    }
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn inputs_that_do_not_fit_are_named() {
    let (_folder, dir) = recorded(1);
    let given = TempDir::new().unwrap();
    let infer = |name: &str, json: &str| {
        let file = given.path().join("x.json");
        fs::write(&file, json).unwrap();
        let options = InferOptions {
            inputs: vec![(name.to_owned(), file)],
            ..InferOptions::default()
        };
        infer(engine(), &dir, &options).unwrap_err().to_string()
    };
    let ten = "[[1,2,3,4,5,6,7,8,9,10]]";
    assert_eq!(
        infer("x", ten),
        "`model.onnx`: no input `x`: expected `features`"
    );
    assert_eq!(
        infer("features", "[1, 2]"),
        "`model.onnx`: input `features` has the shape [2], expected [batch, 10]"
    );
    let wrong = infer("features", "[true]");
    assert!(wrong.ends_with("x.json`: true is not a float"), "{wrong}");
    let none = InferOptions::default();
    assert_eq!(
        super::infer(engine(), &dir, &none).unwrap_err().to_string(),
        "`model.onnx`: input `features` is missing"
    );
    let other = InferOptions {
        graph: Some(path("other.onnx")),
        ..InferOptions::default()
    };
    assert_eq!(
        super::infer(engine(), &dir, &other)
            .unwrap_err()
            .to_string(),
        "no graph `other.onnx`: choose one with `--graph`: `model.onnx`"
    );
}

/// A pulled case that does not suit its graph: hostile, or recorded for another one.
#[test]
#[ignore = "needs the onnxruntime library"]
fn cases_that_do_not_suit_their_graph_are_refused() {
    let refusal = |change: &dyn Fn(&Path), extra: &[&str]| {
        let (folder, dir) = recorded(1);
        let case = folder.path().join(".modelctl/tests/recorded-0");
        change(&case);
        let mut manifest = model_dir(dir.root(), dir.manifest().tests.clone());
        for name in extra {
            manifest = with_file(&manifest, &format!(".modelctl/tests/recorded-0/{name}"));
        }
        let error = smoke_test(engine(), &manifest, &SmokeOptions::default()).unwrap_err();
        error.to_string()
    };
    let start = "`model.onnx`: test `recorded-0`: ";
    let no_input = |case: &Path| fs::remove_file(case.join("input_0.pb")).unwrap();
    assert_eq!(
        refusal(&no_input, &[]),
        format!("{start}no `input_0.pb` for input `features`")
    );
    assert_eq!(
        refusal(&|_| {}, &["output_1.pb"]),
        format!("{start}`output_1.pb`, but the graph has 1 outputs")
    );
    let cut = |case: &Path| fs::write(case.join("input_0.pb"), [0x0a, 9]).unwrap();
    assert_eq!(
        refusal(&cut, &[]),
        "`.modelctl/tests/recorded-0/input_0.pb`: not a TensorProto: it ends inside a field"
    );
}

fn with_file(dir: &ModelDir, name: &str) -> ModelDir {
    let mut manifest = dir.manifest().clone();
    let mut file = manifest.files[0].clone();
    file.path = path(name);
    manifest.files.push(file);
    ModelDir::new(dir.root().to_path_buf(), manifest, Form::Original)
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_second_library_is_refused() {
    let loaded = engine().library();
    let error = Engine::load(Path::new("/nowhere/libonnxruntime.so")).unwrap_err();
    let expected = format!(
        "`/nowhere/libonnxruntime.so`: `{}` is loaded already",
        loaded.display()
    );
    assert_eq!(error.to_string(), expected);
}
