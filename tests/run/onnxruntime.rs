//! From a packer's folder to a smoke test on the other side. `MODELCTL_TEST_ORT_LIB` names the
//! library.

use std::path::Path;

use modelctl::ErrorKind;
use modelctl::materialise::{PullOptions, pull};
use modelctl::model::{FilePath, Form, ModelDir};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions, TestSet};
use modelctl::run::{
    Comparison, InferOptions, Outcome, RecordOptions, Recording, RunError, SmokeOptions,
    decode_proto, infer, record, smoke_test,
};
use modelctl::store::Memory;
use modelctl::verify;
use tempfile::TempDir;

use crate::support::graphs::{model, node, value};
use crate::support::models::{FLOAT, bytes, external_sum, floats, inline_sum, number};
use crate::support::plans::write;
use crate::support::runtime::engine;

fn graphs() -> [FilePath; 2] {
    ["inline.onnx", "sub/external.onnx"].map(|path| path.parse().unwrap())
}

/// A folder of two graphs, packed with two recorded cases each, and pulled.
async fn pulled(form: Form, target: &Path) -> ModelDir {
    let (source, tests) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let tensors = [("a", 400_000, 1), ("b", 3_000, 2)];
    let files = [
        ("inline.onnx", inline_sum(&tensors)),
        (
            "sub/external.onnx",
            external_sum("w.bin", &[("w", 300_000, 4096)]),
        ),
        ("sub/w.bin", [vec![0; 4096], floats(3, 300_000)].concat()),
    ];
    write(source.path(), &files);
    let options = RecordOptions {
        cases: 2,
        ..RecordOptions::default()
    };
    let recordings = record(engine(), (source.path(), &graphs()), &options, tests.path());
    let sets = recordings.unwrap().into_iter();
    let options = PlanOptions {
        tests: sets
            .map(|set| TestSet::new(set.folder, Some(set.graph)))
            .collect(),
        ..PlanOptions::default()
    };
    let plan = plan::build(source.path(), &options).unwrap();
    let store = Memory::default();
    pack::store(&plan, &store, &PackOptions::default())
        .await
        .unwrap();
    let options = PullOptions {
        form,
        ..PullOptions::default()
    };
    let report = pull(&store, &plan.manifest, target, &options)
        .await
        .unwrap();
    report.directory.unwrap()
}

/// The split form computes from the shards what the original computes from its own file.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the onnxruntime library"]
async fn recorded_tests_pass_after_a_pull_in_both_forms() {
    for form in [Form::Original, Form::Split] {
        let target = TempDir::new().unwrap();
        let target = target.path().join("model");
        let directory = pulled(form, &target).await;
        let verified = verify::directory(&target).unwrap();
        for directory in [directory, verified.directory.unwrap()] {
            let report = smoke_test(engine(), &directory, &SmokeOptions::default()).unwrap();
            report.verdict().unwrap();
            assert_eq!((report.cases.len(), report.compared()), (4, 4));
            for output in report.cases.iter().flat_map(|case| &case.outputs) {
                let Outcome::Compared(Comparison::Equal(errors)) = &output.outcome else {
                    panic!("{output:?}")
                };
                assert_eq!(errors.largest_absolute, 0.0, "{form:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the onnxruntime library"]
async fn one_of_several_graphs_must_be_named_to_be_run_once() {
    let target = TempDir::new().unwrap();
    let directory = pulled(Form::Original, &target.path().join("model")).await;
    let input = target.path().join("x.json");
    std::fs::write(&input, "[0.5]").unwrap();
    let mut options = InferOptions {
        inputs: vec![("x".to_owned(), input)],
        ..InferOptions::default()
    };
    let error = infer(engine(), &directory, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 graphs: choose one with `--graph`: `inline.onnx`, `sub/external.onnx`"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
    let [_, external] = graphs();
    options.graph = Some(external.clone());
    let inference = infer(engine(), &directory, &options).unwrap();
    assert_eq!(inference.graph, external.as_str());
    let only = SmokeOptions {
        graph: Some(external),
        ..SmokeOptions::default()
    };
    let report = smoke_test(engine(), &directory, &only).unwrap();
    assert_eq!((report.cases.len(), report.compared()), (2, 2));
}

/// Records one case of a model, and gives the folder it is in, too.
fn recorded(bytes: &[u8]) -> Result<(TempDir, Recording), RunError> {
    let (source, tests) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::fs::write(source.path().join("model.onnx"), bytes).unwrap();
    let graphs = ["model.onnx".parse().unwrap()];
    let options = RecordOptions::default();
    let mut recordings = record(engine(), (source.path(), &graphs), &options, tests.path())?;
    Ok((tests, recordings.remove(0)))
}

fn identity(data_type: u64) -> Vec<u8> {
    let dims = [None, Some(3)];
    let graph = [
        node(("", "Identity"), &["x"], &["y"], &[]),
        bytes(2, "identity"),
        bytes(11, value("x", data_type, &dims)),
        bytes(12, value("y", data_type, &dims)),
    ];
    model(&graph.concat(), "")
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn every_element_type_comes_back_unchanged() {
    for data_type in (1..=13).chain([16]) {
        let (_tests, recording) = recorded(&identity(data_type)).unwrap();
        let read = |name: &str| {
            let file = recording.folder.join("recorded-0").join(name);
            decode_proto(&std::fs::read(file).unwrap()).unwrap()
        };
        let (input, output) = (read("input_0.pb"), read("output_0.pb"));
        assert_eq!((input.0.as_str(), output.0.as_str()), ("x", "y"));
        assert_eq!(input.1, output.1);
        assert_eq!(input.1.dtype().0 as u64, data_type);
        assert_eq!(recording.cases[0].shapes["x"], [1, 3]);
    }
    let complex = recorded(&identity(14)).unwrap_err().to_string();
    assert!(
        complex.starts_with("`model.onnx`: ONNX Runtime does not load it: "),
        "{complex}"
    );
}

/// Models of scikit-learn give a sequence of maps beside their labels.
#[test]
#[ignore = "needs the onnxruntime library"]
fn outputs_that_are_no_tensors_are_left_out_and_said() {
    let tensor = bytes(
        1,
        [number(1, FLOAT), bytes(2, bytes(1, number(1, 2)))].concat(),
    );
    let sequence = bytes(4, bytes(1, tensor));
    let listed = bytes(12, [bytes(1, "list"), bytes(2, sequence)].concat());
    let nodes = [
        node(("", "SequenceConstruct"), &["x"], &["list"], &[]),
        node(("", "Neg"), &["x"], &["y"], &[]),
    ];
    let two = [Some(2)];
    let graph = |outputs: &[u8]| {
        let input = bytes(11, value("x", FLOAT, &two));
        let parts = [&nodes.concat()[..], &bytes(2, "lists"), &input, outputs];
        model(&parts.concat(), "")
    };
    let both = [listed.clone(), bytes(12, value("y", FLOAT, &two))].concat();
    let (_tests, recording) = recorded(&graph(&both)).unwrap();
    assert_eq!(recording.left_out, ["list"]);
    let case = recording.folder.join("recorded-0");
    assert!(case.join("output_1.pb").exists() && !case.join("output_0.pb").exists());
    assert_eq!(
        recorded(&graph(&listed)).unwrap_err().to_string(),
        "`model.onnx`: none of its outputs is a tensor"
    );
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_model_that_rolls_dice_is_not_recorded() {
    let dims = [Some(2)];
    let graph = [
        node(("", "RandomUniformLike"), &["x"], &["y"], &[]),
        bytes(2, "dice"),
        bytes(11, value("x", FLOAT, &dims)),
        bytes(12, value("y", FLOAT, &dims)),
    ];
    assert_eq!(
        recorded(&model(&graph.concat(), ""))
            .unwrap_err()
            .to_string(),
        "`model.onnx`: output `y` differs between two runs on the same input: a recorded test \
         would always fail"
    );
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_model_that_runs_with_no_guess_says_which_flag_helps() {
    // Reshape to [3, 5] takes 15 elements.
    let shape = [3u64.to_le_bytes(), 5u64.to_le_bytes()].concat();
    let graph = [
        node(("", "Reshape"), &["x", "shape"], &["y"], &[]),
        bytes(2, "reshape"),
        bytes(5, crate::support::models::tensor("shape", 7, &[2], &shape)),
        bytes(11, value("x", FLOAT, &[None])),
        bytes(12, value("y", FLOAT, &[Some(3), Some(5)])),
    ];
    let error = recorded(&model(&graph.concat(), "")).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Failed);
    let start = "`model.onnx`: ONNX Runtime does not run it on made inputs: with x=[1]: ";
    assert!(text.starts_with(start), "{text}");
    let end = "(6 tried); give shapes that suit it, as in `--shape x=64`";
    assert!(text.ends_with(end), "{text}");
}
