//! The model manifest's JSON Schema and its samples, one for each rule.
//!
//! `schema/samples/valid/<name>.json` must be accepted, `schema/samples/invalid/<rule>[.<case>].json`
//! must break exactly that rule. A `.oci` file beside a sample is the OCI manifest that it is checked
//! against; otherwise one is made that agrees with the sample's layers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use modelctl::model::{MAX_MODEL_MANIFEST_SIZE, ModelError, ModelManifest, Rule};
use modelctl::oci::{Descriptor, Digest, Document, Manifest, annotation, media_type};
use serde_json::Value;

/// Rules that a JSON Schema can state.
const IN_THE_SCHEMA: [Rule; 3] = [Rule::SchemaVersion, Rule::Requires, Rule::TestTolerance];
/// Samples of other rules that the schema refuses, too.
const ALSO_IN_THE_SCHEMA: [&str; 5] = [
    "number.file.json",
    "number.layer.json",
    "extent-range.empty.json",
    "test-case.folder.json",
    "test-case.slash.json",
];
/// Samples that are no JSON document at all, or two.
const NOT_ONE_DOCUMENT: [&str; 3] = [
    "form.truncated.json",
    "form.duplicate-member.json",
    "form.trailing-data.json",
];

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn generate() -> String {
    let schema = schemars::schema_for!(ModelManifest);
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

/// To write the schema again: `make schema`, which sets MODELCTL_BLESS.
#[test]
fn generated_schema_is_that_of_the_types() {
    let path = folder("schema/model-manifest.v1.json");
    if std::env::var_os("MODELCTL_BLESS").is_some() {
        fs::write(&path, generate()).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == generate(),
        "the types have changed: see schema/media-types.md, then run `make schema`"
    );
}

/// The samples of a folder: file name and bytes, sorted.
fn samples(kind: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(folder("schema/samples").join(kind)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).unwrap());
    paths.into_iter().map(read).collect()
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn parse(path: &Path, bytes: &[u8]) -> Result<ModelManifest, ModelError> {
    let manifest = match fs::read(path.with_extension("oci")) {
        Ok(raw) => Document::parse(raw, None)
            .unwrap()
            .manifest()
            .unwrap()
            .clone(),
        Err(_) => agreeing_manifest(&serde_json::from_slice(bytes).unwrap_or_default()),
    };
    ModelManifest::parse(bytes, &manifest)
}

fn agreeing_manifest(sample: &Value) -> Manifest {
    let layers = sample["layers"].as_array().into_iter().flatten();
    let listed = layers.map(|layer| {
        let path = layer["path"].as_str().unwrap_or_default();
        let digest = layer["digest"].as_str().unwrap_or_default();
        let digest = digest.parse().unwrap_or(Digest::sha256(b""));
        titled(
            media_type_of(path),
            digest,
            layer["size"].as_u64().unwrap_or_default(),
            path,
        )
    });
    let own = titled(
        media_type::LAYER_MANIFEST,
        Digest::sha256(b"model manifest"),
        14,
        ".modelctl/manifest.json",
    );
    Manifest {
        schema_version: 2,
        media_type: None,
        artifact_type: None,
        config: Descriptor::of(media_type::MODELPACK_CONFIG, b"{}"),
        layers: [own].into_iter().chain(listed).collect(),
        subject: None,
        annotations: Default::default(),
    }
}

fn titled(media_type: &str, digest: Digest, size: u64, path: &str) -> Descriptor {
    let mut layer = Descriptor::new(media_type, digest, size);
    for key in [annotation::TITLE, annotation::FILEPATH] {
        layer.annotations.insert(key.to_owned(), path.to_owned());
    }
    layer
}

fn media_type_of(path: &str) -> &'static str {
    match path {
        ".modelctl/tests.tar" => media_type::LAYER_TESTS,
        ".modelctl/files.tar" => media_type::LAYER_FILES,
        "model.onnx" => media_type::LAYER_GRAPH,
        _ if path.starts_with(".modelctl/skeleton/") => media_type::LAYER_SKELETON,
        _ if path.contains("_data_") => media_type::LAYER_WEIGHTS,
        _ => media_type::LAYER_FILE,
    }
}

fn validator() -> jsonschema::Validator {
    let text = fs::read_to_string(folder("schema/model-manifest.v1.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn valid_samples_are_accepted_and_survive_being_written() {
    let validator = validator();
    for (path, bytes) in samples("valid") {
        let parsed = parse(&path, &bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let again = parse(&path, &parsed.to_bytes()).unwrap();
        assert_eq!(again, parsed, "{path:?}");
        assert_eq!(again.to_bytes(), parsed.to_bytes(), "{path:?}");
        for document in [bytes, parsed.to_bytes()] {
            let value: Value = serde_json::from_slice(&document).unwrap();
            assert!(validator.is_valid(&value), "{path:?}");
        }
    }
}

#[test]
fn invalid_samples_break_the_rule_that_they_are_named_after() {
    for (path, bytes) in samples("invalid") {
        let Err(ModelError::Manifest(violation)) = parse(&path, &bytes) else {
            panic!("{path:?} was accepted");
        };
        let rule = name(&path).split('.').next().unwrap();
        assert_eq!(violation.rule.code(), rule, "{path:?}: {violation}");
    }
}

#[test]
fn schema_refuses_the_samples_of_every_rule_that_it_can_state() {
    let validator = validator();
    for (path, bytes) in samples("invalid") {
        let name = name(&path);
        if NOT_ONE_DOCUMENT.contains(&name) {
            continue;
        }
        let rule = name.split('.').next().unwrap();
        let expected = rule == Rule::Form.code()
            || IN_THE_SCHEMA.iter().any(|stated| stated.code() == rule)
            || ALSO_IN_THE_SCHEMA.contains(&name);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(!validator.is_valid(&value), expected, "{path:?}");
    }
}

#[test]
fn every_rule_has_an_invalid_sample() {
    let paths = samples("invalid");
    let named = paths.iter().map(|(path, _)| name(path).split('.').next());
    let named: BTreeSet<&str> = named.flatten().collect();
    // A sample of more than 32 MiB is made in a test of its own.
    let rules = Rule::ALL.iter().filter(|rule| **rule != Rule::Size);
    let rules: BTreeSet<&str> = rules.map(|rule| rule.code()).collect();
    assert_eq!(named, rules);
}

#[test]
fn manifest_larger_than_the_limit_is_refused_before_it_is_parsed() {
    let sample = fs::read(folder("schema/samples/valid/minimal.json")).unwrap();
    let manifest = agreeing_manifest(&Value::Null);
    let limit = usize::try_from(MAX_MODEL_MANIFEST_SIZE).unwrap();
    let mut bytes = sample;
    bytes.resize(limit, b' ');
    ModelManifest::parse(&bytes, &manifest).unwrap();
    // One byte more, and not JSON: the length is looked at first.
    bytes.push(b'x');
    let error = ModelManifest::parse(&bytes, &manifest).unwrap_err();
    assert!(matches!(error, ModelError::Manifest(violation) if violation.rule == Rule::Size));
}

/// Found by fuzzing: 1e-45 was read as another number than it was written from.
#[test]
fn tolerances_are_read_as_they_were_written() {
    let sample = fs::read(folder("schema/samples/valid/split.json")).unwrap();
    let mut model = ModelManifest::parse_alone(&sample).unwrap();
    for tolerance in [
        1e-45,
        1e-3,
        0.1 + 0.2,
        1.0 / 3.0,
        f64::MIN_POSITIVE,
        f64::MAX,
    ] {
        model.tests[0].atol = tolerance;
        let again = ModelManifest::parse_alone(&model.to_bytes()).unwrap();
        assert_eq!(again, model);
    }
}

#[test]
fn media_types_page_names_every_constant() {
    let page = fs::read_to_string(folder("schema/media-types.md")).unwrap();
    for source in ["src/oci/media_type.rs", "src/oci/annotation.rs"] {
        let text = fs::read_to_string(folder(source)).unwrap();
        let values = text.split("&str = \"").skip(1);
        for value in values.map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("`{value}`")), "{value} is missing");
        }
    }
}
