//! The documents of an artifact, its layers in order, tests and very many files.

use modelctl::model::{ModelManifest, Role};
use modelctl::oci::{annotation, media_type};
use modelctl::plan::{self, ArtifactPlan, LayerKind, PlanOptions, TestSet};
use modelctl::store::{Memory, Storage as _};
use serde_json::Value;

use crate::support::models::{FLOAT, external_sum, floats, inline_sum, tensor};
use crate::support::plans::{files, layers, paths, plan, write};

fn planned(originals: &[(&str, Vec<u8>)], options: &PlanOptions) -> ArtifactPlan {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), originals);
    plan::build(folder.path(), options).unwrap()
}

#[test]
fn layers_stand_in_the_order_of_their_kinds_and_carry_their_paths() {
    let folder = tempfile::tempdir().unwrap();
    let cases = tempfile::tempdir().unwrap();
    write(
        cases.path(),
        &[("c/output_0.pb", tensor("y", FLOAT, &[1], &floats(1, 1)))],
    );
    let model = || inline_sum(&[("w", 1000, 1)]);
    write(
        folder.path(),
        &[
            ("b.txt", vec![1]),
            ("z.onnx", model()),
            ("a.safetensors", vec![2]),
            ("sub/m.pt", vec![3]),
        ],
    );
    let tests = vec![TestSet::new(cases.path(), None)];
    let plan = plan::build(
        folder.path(),
        &PlanOptions {
            tests,
            ..PlanOptions::default()
        },
    )
    .unwrap();
    let expected = [
        ("manifest", ".modelctl/manifest.json"),
        ("graph", "z.onnx"),
        ("weights", "sub/m.pt"),
        ("weights", "z.onnx_data_0"),
        ("skeleton", ".modelctl/skeleton/z.onnx"),
        ("tests", ".modelctl/tests.tar"),
        ("file", "a.safetensors"),
        ("file", "b.txt"),
    ];
    let found = plan
        .layers
        .iter()
        .map(|layer| (layer.kind.as_str(), layer.path.as_str()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let manifest = plan.manifest.manifest().unwrap();
    for (layer, planned) in manifest.layers.iter().zip(&plan.layers) {
        assert_eq!(*layer, planned.descriptor);
        assert_eq!(layer.media_type, planned.kind.media_type());
        for key in [annotation::TITLE, annotation::FILEPATH] {
            assert_eq!(layer.annotations[key], planned.path.as_str());
        }
    }
    assert_eq!(manifest.artifact_type(), media_type::MODEL);
}

#[test]
fn manifest_says_what_the_caller_said_and_nothing_else() {
    let silent = planned(&[("x", vec![1])], &PlanOptions::default());
    assert!(silent.manifest.manifest().unwrap().annotations.is_empty());
    let options = PlanOptions {
        name: Some("demo".to_owned()),
        version: Some("7".to_owned()),
        licenses: vec!["MIT".to_owned()],
        annotations: [(annotation::VERSION.to_owned(), "own".to_owned())].into(),
        created: Some(0),
        ..PlanOptions::default()
    };
    let plan = planned(&[("x", vec![1])], &options);
    let annotations = &plan.manifest.manifest().unwrap().annotations;
    let expected = [
        (annotation::CREATED, "1970-01-01T00:00:00Z"),
        (annotation::LICENSES, "MIT"),
        (annotation::TITLE, "demo"),
        (annotation::VERSION, "own"),
    ];
    let found = annotations
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let manifest = plan.model_manifest;
    assert_eq!(
        (manifest.name.as_deref(), manifest.version.as_deref()),
        (Some("demo"), Some("7"))
    );
    assert_eq!(manifest.annotations, options.annotations);
}

/// The schema is closed at every level, as the one of the specification is.
#[test]
fn config_is_a_model_pack_document() {
    let text = include_str!("../schemas/modelpack-config.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let options = PlanOptions {
        name: Some("demo".to_owned()),
        version: Some("7".to_owned()),
        licenses: vec!["MIT".to_owned()],
        created: Some(1_700_000_000),
        ..PlanOptions::default()
    };
    let onnx = planned(&[("m.onnx", inline_sum(&[("w", 1000, 1)]))], &options);
    let other = planned(&[("x", vec![1])], &PlanOptions::default());
    for plan in [&onnx, &other] {
        let config: Value = serde_json::from_slice(&plan.config).unwrap();
        let faults: Vec<_> = validator
            .iter_errors(&config)
            .map(|fault| fault.to_string())
            .collect();
        assert!(faults.is_empty(), "{config}: {faults:?}");
        let layers = plan.manifest.manifest().unwrap().layers.iter();
        let digests: Vec<Value> = layers
            .map(|layer| layer.digest.to_string().into())
            .collect();
        assert_eq!(config["modelfs"]["diffIds"], Value::Array(digests));
    }
    let config: Value = serde_json::from_slice(&onnx.config).unwrap();
    assert_eq!(
        config["config"],
        serde_json::json!({"format": "onnx", "precision": "float32"})
    );
    assert_eq!(config["descriptor"]["createdAt"], "2023-11-14T22:13:20Z");
    let mut private = config;
    private["config"]["modelctl"] = Value::Bool(true);
    assert!(!validator.is_valid(&private));
}

#[test]
fn foreign_weights_are_layers_of_their_own_and_empty_files_are_none() {
    let originals = [
        ("empty", Vec::new()),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}".to_vec()),
        ("saved/saved_model.pb", vec![8, 1]),
        ("saved/variables/variables.data-00000-of-00001", vec![1]),
        ("saved/variables/variables.index", vec![2]),
    ];
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &originals);
    let plan = plan(folder.path());
    let weights = paths(&plan, LayerKind::Weights);
    let expected = [originals[1].0, originals[3].0, originals[4].0];
    assert_eq!(weights, expected);
    assert_eq!(paths(&plan, LayerKind::File), ["saved/saved_model.pb"]);
    let empty = &plan.model_manifest.files[0];
    assert!(empty.extents.is_empty());
    assert_eq!(empty.sha256.digest(), modelctl::oci::Digest::sha256(b""));
    assert_eq!(plan.model_manifest.format, "savedmodel");
    for (path, content) in originals {
        assert_eq!(files(&plan)[path], content);
    }
}

#[test]
fn beyond_512_files_the_smallest_share_a_tar() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/{}.txt", "long".repeat(30), "name".repeat(40));
    let mut originals: Vec<(String, Vec<u8>)> = (0..515)
        .map(|n| (format!("f{n:03}.txt"), vec![1; 1000 - n]))
        .collect();
    originals.push((long.clone(), vec![2]));
    originals.push(("empty.txt".to_owned(), vec![]));
    for (path, content) in &originals {
        write(folder.path(), &[(path, content.clone())]);
    }
    let plan = plan(folder.path());
    assert_eq!(paths(&plan, LayerKind::File).len(), 512);
    assert_eq!(paths(&plan, LayerKind::Files), [".modelctl/files.tar"]);
    let rebuilt = files(&plan);
    for (path, content) in &originals {
        assert_eq!(rebuilt[path], *content, "{path}");
    }
    let tar = &layers(&plan)[".modelctl/files.tar"];
    let mut archive = tar::Archive::new(tar.as_slice());
    let members = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!(
            (
                header.mtime().unwrap(),
                header.uid().unwrap(),
                header.mode().unwrap()
            ),
            (0, 0, 0o644)
        );
        entry.path().unwrap().to_str().unwrap().to_owned()
    });
    assert_eq!(
        members.collect::<Vec<_>>(),
        ["f512.txt", "f513.txt", "f514.txt", &long]
    );
}

#[test]
fn tests_are_files_of_the_model_that_stand_in_a_tar() {
    let folder = tempfile::tempdir().unwrap();
    let input = tensor("", FLOAT, &[1], &floats(1, 1));
    let output = tensor("", FLOAT, &[1], &floats(2, 1));
    let model = inline_sum(&[("w", 10, 1)]);
    write(
        folder.path(),
        &[
            ("model/m.onnx", model.clone()),
            ("model/sub/n.onnx", model),
            ("m/test_data_set_0/input_0.pb", input.clone()),
            ("m/test_data_set_0/output_0.pb", output.clone()),
            ("m/notes.txt", vec![1]),
            ("m/test_data_set_1/notes.txt", vec![1]),
            ("n/test_data_set_0/input_0.pb", output.clone()),
            ("n/test_data_set_0/output_0.pb", input.clone()),
        ],
    );
    let set = |name: &str, graph: &str| {
        TestSet::new(folder.path().join(name), Some(graph.parse().unwrap()))
    };
    let options = PlanOptions {
        tests: vec![set("m", "m.onnx"), set("n", "sub/n.onnx")],
        ..PlanOptions::default()
    };
    let plan = plan::build(&folder.path().join("model"), &options).unwrap();
    let manifest = &plan.model_manifest;
    let tests = manifest
        .tests
        .iter()
        .map(|test| (test.case.as_str(), test.graph.as_str()));
    let expected = [
        ("test_data_set_0", "m.onnx"),
        ("test_data_set_0_2", "sub/n.onnx"),
    ];
    assert_eq!(tests.collect::<Vec<_>>(), expected);
    let test = &manifest.tests[0];
    assert_eq!((test.rtol, test.atol), (1e-3, 1e-5));
    assert_eq!(test.shapes, [("x".to_owned(), vec![1])].into());
    let rebuilt = files(&plan);
    assert_eq!(rebuilt[".modelctl/tests/test_data_set_0/input_0.pb"], input);
    assert_eq!(
        rebuilt[".modelctl/tests/test_data_set_0_2/input_0.pb"],
        output
    );
    let roles = manifest.files.iter().filter(|file| file.role == Role::Test);
    assert_eq!(roles.count(), 4);
    let tar = &layers(&plan)[".modelctl/tests.tar"];
    let mut archive = tar::Archive::new(tar.as_slice());
    let names = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().into_owned());
    let names: Vec<_> = names
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names[0], "test_data_set_0/input_0.pb");
    assert_eq!(names.len(), 4);
}

#[test]
fn tests_in_another_form_are_refused() {
    let data = tensor("x", FLOAT, &[1], &floats(1, 1));
    let refusal = |cases: &[(&str, Vec<u8>)], graph: Option<&str>, graphs: usize| {
        let folder = tempfile::tempdir().unwrap();
        let models = ["m.onnx", "n.onnx"].into_iter().take(graphs);
        for path in models {
            write(
                &folder.path().join("model"),
                &[(path, inline_sum(&[("w", 10, 1)]))],
            );
        }
        write(&folder.path().join("model"), &[("x", vec![1])]);
        write(&folder.path().join("tests"), cases);
        let graph = graph.map(|graph| graph.parse().unwrap());
        let tests = vec![TestSet::new(folder.path().join("tests"), graph)];
        let options = PlanOptions {
            tests,
            ..PlanOptions::default()
        };
        plan::build(&folder.path().join("model"), &options)
            .unwrap_err()
            .to_string()
    };
    let good = [
        ("c/input_0.pb", data.clone()),
        ("c/output_0.pb", data.clone()),
    ];
    let expected = "several graphs: say which, of `m.onnx`, `n.onnx`";
    assert!(refusal(&good, None, 2).contains(expected));
    assert!(refusal(&good, None, 0).contains("the model has no ONNX graph"));
    assert!(refusal(&good, Some("x"), 1).contains("`x` is not an ONNX graph of this model"));
    assert!(refusal(&[("x", vec![1])], None, 1).contains("no folder in it has files `input_0.pb`"));
    for bad in ["c/input_2.pb", "c/input_00.pb", "c/other.pb"] {
        let cases = [good[0].clone(), good[1].clone(), (bad, data.clone())];
        let error = refusal(&cases, None, 1);
        assert!(
            error.contains("both numbered from 0 without a gap"),
            "{bad}: {error}"
        );
    }
    let error = refusal(&[("c/input_0.pb", data)], None, 1);
    assert!(error.contains("both numbered from 0"), "{error}");
}

#[test]
fn stored_artifact_is_complete_and_storing_it_again_moves_nothing() {
    let model = external_sum("w", &[("a", 3000, 0), ("b", 3000, 12000)]);
    let folder = tempfile::tempdir().unwrap();
    // `x` and `y` have the same bytes: one blob is enough for both.
    write(
        folder.path(),
        &[
            ("m.onnx", model),
            ("w", floats(1, 6000)),
            ("x", vec![1]),
            ("y", vec![1]),
        ],
    );
    let plan = plan(folder.path());
    let store = Memory::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = modelctl::pack::PackOptions::default();
    let report = runtime
        .block_on(modelctl::pack::store(&plan, &store, &options))
        .unwrap();
    assert_eq!((report.copied, report.skipped), (plan.layers.len() + 1, 0));
    let manifest = plan.manifest.manifest().unwrap();
    for blob in manifest.blobs().chain([&plan.manifest.descriptor()]) {
        assert!(runtime.block_on(store.exists(blob)).unwrap());
    }
    let mm = plan.model_manifest.to_bytes();
    assert_eq!(
        ModelManifest::parse(&mm, manifest).unwrap(),
        plan.model_manifest
    );
    let again = runtime
        .block_on(modelctl::pack::store(&plan, &store, &options))
        .unwrap();
    assert_eq!((again.copied, again.bytes), (0, 0));
}
