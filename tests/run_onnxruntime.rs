//! From a packer's folder to a smoke test on the other side. `MODELCTL_TEST_ORT_LIB` names the
//! library.

use std::path::{Path, PathBuf};

use modelctl::ErrorKind;
use modelctl::materialise::{PullOptions, pull};
use modelctl::model::{FilePath, Form, ModelDir};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions, TestSet};
use modelctl::run::{
    Comparison, Engine, InferOptions, Outcome, RecordOptions, SmokeOptions, infer, record,
    smoke_test,
};
use modelctl::store::Memory;
use modelctl::verify;
use tempfile::TempDir;

use crate::support::models::{external_sum, floats, inline_sum};
use crate::support::plans::write;

fn engine() -> &'static Engine {
    let library = std::env::var_os("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    Engine::load(&PathBuf::from(library).canonicalize().unwrap()).unwrap()
}

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
