//! The record of a smoke test: its JSON Schema, and samples. `schema/samples/test-result/valid` must be
//! accepted by the schema and by the parser; `invalid/<name>.json` by neither, but for those whose
//! names begin with `wrong-`: the form is right, and the result does not follow from the cases.

use std::fs;
use std::path::{Path, PathBuf};

use modelctl::oci::{Descriptor, Manifest, annotation, media_type};
use modelctl::trust::TrustError;
use modelctl::trust::predicate::{CompareResult, TestResult, Verdict};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn generate() -> String {
    let schema = schemars::schema_for!(TestResult);
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// To write the schema again: `make schema`, which sets MODELCTL_BLESS.
#[test]
fn generated_schema_is_that_of_the_types() {
    let path = folder("schema/test-result.v1.json");
    if std::env::var_os("MODELCTL_BLESS").is_some() {
        fs::write(&path, generate()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == generate(),
        "the types have changed: run `make schema`"
    );
}

fn samples(kind: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder("schema/samples/test-result").join(kind)).unwrap();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    };
    let mut samples: Vec<_> = entries.map(|entry| read(entry.unwrap().path())).collect();
    assert!(samples.len() > 2);
    samples.sort();
    samples
}

fn validator() -> jsonschema::Validator {
    let text = fs::read_to_string(folder("schema/test-result.v1.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn valid_samples_are_accepted_and_survive_being_written() {
    let validator = validator();
    for (name, bytes) in samples("valid") {
        let parsed = TestResult::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = parsed.to_raw();
        assert_eq!(
            TestResult::parse(written.get().as_bytes()).unwrap(),
            parsed,
            "{name}"
        );
        for text in [bytes.as_slice(), written.get().as_bytes()] {
            let value = serde_json::from_slice(text).unwrap();
            assert!(validator.is_valid(&value), "{name}");
        }
    }
}

#[test]
fn invalid_samples_are_refused() {
    let validator = validator();
    for (name, bytes) in samples("invalid") {
        let error = TestResult::parse(&bytes).expect_err(&name);
        let is_wrong = matches!(error, TrustError::TestResult { .. });
        assert_eq!(is_wrong, name.starts_with("wrong-"), "{name}: {error}");
        if let Ok(value) = serde_json::from_slice(&bytes) {
            let is_duplicate = name.starts_with("duplicate-");
            assert_eq!(
                validator.is_valid(&value),
                is_wrong || is_duplicate,
                "{name}"
            );
        }
    }
}

#[test]
fn result_follows_from_the_cases() {
    let (_, bytes) = samples("valid").remove(0);
    let passed = TestResult::parse(&bytes).unwrap();
    let mut layer = Descriptor::of(media_type::LAYER_MANIFEST, b"{}");
    let path = ".modelctl/manifest.json".to_owned();
    layer
        .annotations
        .insert(annotation::TITLE.to_owned(), path.clone());
    let artifact = Manifest {
        schema_version: 2,
        media_type: None,
        artifact_type: None,
        config: Descriptor::of(media_type::EMPTY, b"{}"),
        layers: vec![layer.clone()],
        subject: None,
        annotations: Default::default(),
    };
    let with = |result: CompareResult| {
        let mut smoke_test = passed.smoke_test.clone();
        smoke_test.cases[0].outputs[0].result = result;
        TestResult::new(&artifact, smoke_test)
    };
    let name = passed.smoke_test.cases[0].name();
    let equal = with(CompareResult::Equal);
    assert_eq!(
        (equal.result, &equal.passed_tests[0]),
        (Verdict::Passed, &name)
    );
    assert_eq!(equal.configuration[0].name, Some(path));
    assert_eq!(equal.configuration[0].digest["sha256"], layer.digest.hex());
    for result in [
        CompareResult::Different,
        CompareResult::Dtype,
        CompareResult::Shape,
    ] {
        let failed = with(result);
        assert_eq!(
            (failed.result, &failed.failed_tests[0]),
            (Verdict::Failed, &name)
        );
    }
    for result in [CompareResult::NotStored, CompareResult::NotTensor] {
        let warned = with(result);
        assert_eq!(
            (warned.result, &warned.warned_tests[0]),
            (Verdict::Warned, &name)
        );
    }
    let mut nothing = passed.smoke_test.clone();
    nothing.cases.clear();
    assert_eq!(TestResult::new(&artifact, nothing).result, Verdict::Warned);
}
