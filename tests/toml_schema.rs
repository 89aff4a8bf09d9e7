//! The JSON Schemas of the policy and of the lock file, and their samples.
//!
//! `schema/samples/<kind>/valid/<name>.toml` must be accepted; of `invalid/<name>.toml` the first line,
//! a comment, is a part of the error. What the schema cannot state has the line `# beyond the schema`,
//! what is no TOML at all `# no document`.

use std::fs;
use std::path::{Path, PathBuf};

use modelctl::trust::lock::{Lock, LockDocument};
use modelctl::trust::policy::{Policy, PolicyDocument};
use serde_json::Value;

const KEYS: [(&str, &str); 2] = [
    ("release.pub", include_str!("vectors/keys/p256.pub")),
    ("security.pub", include_str!("vectors/keys/p384.pub")),
];

/// The samples' folder, the schema, and the parser.
type Kind = (
    &'static str,
    fn() -> schemars::Schema,
    fn(&str) -> Result<(), String>,
);

const KINDS: [Kind; 2] = [
    (
        "policy",
        || schemars::schema_for!(PolicyDocument),
        parse_policy,
    ),
    ("lock", || schemars::schema_for!(LockDocument), parse_lock),
];

fn parse_policy(text: &str) -> Result<(), String> {
    let key = |name: &str| match KEYS.iter().find(|(known, _)| *known == name) {
        Some((_, pem)) => Ok((*pem).to_owned()),
        None => panic!("a sample names the key {name}"),
    };
    let policy = Policy::parse(text, key);
    policy.map(drop).map_err(|error| error.to_string())
}

fn parse_lock(text: &str) -> Result<(), String> {
    let lock = Lock::parse(text).map_err(|error| error.to_string())?;
    let written = Lock::parse(&lock.to_toml()).map_err(|error| error.to_string())?;
    assert_eq!(written, lock);
    Ok(())
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn samples(kind: &str, sort: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder("schema/samples").join(kind).join(sort)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    paths.into_iter().map(read).collect()
}

/// `make schema` writes them again.
#[test]
fn generated_schemas_are_those_of_the_types() {
    for (kind, schema, _) in KINDS {
        let path = folder(&format!("schema/{kind}.v1.json"));
        let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
        if std::env::var_os("MODELCTL_BLESS").is_some() {
            fs::write(&path, &generated).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == generated,
            "{kind}: the types have changed: make schema"
        );
    }
}

#[test]
fn samples_are_judged_by_the_parser_and_by_the_schema() {
    for (kind, schema, parse) in KINDS {
        let validator = jsonschema::validator_for(&serde_json::json!(schema())).unwrap();
        let is_valid = |text: &str| {
            let value: Value = toml::from_str(text).unwrap();
            validator.is_valid(&value)
        };
        for (path, text) in samples(kind, "valid") {
            parse(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            assert!(is_valid(&text), "{path:?}");
        }
        for (path, text) in samples(kind, "invalid") {
            let mut lines = text.lines();
            let part = lines.next().and_then(|line| line.strip_prefix("# "));
            let error = parse(&text).expect_err(&format!("{path:?} was accepted"));
            assert!(error.contains(part.unwrap()), "{path:?}: {error}");
            match lines.next() {
                Some("# no document") => {}
                Some("# beyond the schema") => assert!(is_valid(&text), "{path:?}"),
                _ => assert!(!is_valid(&text), "{path:?}"),
            }
        }
    }
}

/// The examples of the page are policies.
#[test]
fn policies_of_the_documentation_are_accepted() {
    let page = fs::read_to_string(folder("docs/policy.md")).unwrap();
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(examples.len() >= 3);
    for example in examples {
        parse_policy(example).unwrap_or_else(|error| panic!("{example}\n{error}"));
    }
}

/// The page explains every member that the schema knows.
#[test]
fn documentation_names_every_member_of_a_policy() {
    let page = fs::read_to_string(folder("docs/policy.md")).unwrap();
    let schema = serde_json::json!(schemars::schema_for!(PolicyDocument));
    let definitions = schema["$defs"].as_object().unwrap().values();
    for object in definitions.chain([&schema]) {
        let members = object["properties"].as_object().into_iter().flatten();
        for (member, _) in members {
            assert!(page.contains(&format!("`{member}`")), "{member} is missing");
        }
    }
}
