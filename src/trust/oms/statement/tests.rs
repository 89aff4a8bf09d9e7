//! What a signed payload may say. Each payload stands for one whose signature was verified.

use serde_json::{Value, json};

use super::*;
use crate::trust::oms::GIT_NAMES;

const VECTOR: &[u8] = include_bytes!("../../../../tests/vectors/oms/payload.json");

fn sha256(text: &str) -> Sha256 {
    Digest::sha256(text.as_bytes()).try_into().unwrap()
}

fn named(files: &[(&str, &str)]) -> Resources {
    let list = files.iter().map(|(name, content)| Resource {
        name: name.parse().unwrap(),
        sha256: sha256(content),
    });
    Resources::sorted(list.collect()).unwrap()
}

/// A payload that is right, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Result<ModelStatement, OmsError> {
    let mut value: Value = serde_json::from_slice(VECTOR).unwrap();
    change(&mut value);
    ModelStatement::parse(&serde_json::to_vec(&value).unwrap())
}

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    changed(change).unwrap_err().to_string()
}

fn serialization(value: &mut Value) -> &mut Value {
    &mut value["predicate"]["serialization"]
}

fn first(value: &mut Value) -> &mut Value {
    &mut value["predicate"]["resources"][0]
}

/// OMS v1.0, sections 6.4 and 6.5.1: the root is over raw digests, in the order listed.
#[test]
fn roots_are_those_of_the_reference_and_of_the_specification() {
    let statement = ModelStatement::parse(VECTOR).unwrap();
    let listed = "77faf8a07e6115ad85ebca7f55d9f6ee6e12752b534e234d65d42ebaa4b56947";
    assert_eq!(statement.files.root().hex(), listed);
    let Signed::Named(resources) = &statement.files else {
        panic!("it has names");
    };
    let sorted = Resources::sorted(resources.iter().cloned().collect()).unwrap();
    let in_order = "ba65a6f7f8d2fc87f3484355604469a784fe0cc0a5fc0bee8715e31be0664c55";
    assert_eq!(sorted.root().hex(), in_order);
    let names: Vec<&str> = sorted
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "config.json",
            "empty.txt",
            "sub.txt",
            "sub/vocab.txt",
            "weights.bin"
        ]
    );
}

/// OMS v1.0, sections 5 and 6.6: the form that is written.
#[test]
fn statement_is_written_in_the_form_of_the_specification() {
    let resources = named(&[("sub/b", "b"), ("sub.txt", "a")]);
    let statement = ModelStatement::new("m".to_owned(), resources, IgnorePaths::git());
    let root = statement.files.root().hex();
    let (a, b) = (sha256("a").hex(), sha256("b").hex());
    let expected = [
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"m","digest":{"sha256":""#,
        &root,
        r#""}}],"predicateType":"https://model_signing/signature/v1.0","predicate":{"resources":["#,
        r#"{"algorithm":"sha256","digest":""#,
        &a,
        r#"","name":"sub.txt"},{"algorithm":"sha256","digest":""#,
        &b,
        r#"","name":"sub/b"}],"serialization":{"allow_symlinks":false,"hash_type":"sha256","#,
        r#""ignore_paths":[".git",".gitattributes",".github",".gitignore"],"method":"files"}}}"#,
    ];
    let written = statement.to_statement().to_vec();
    assert_eq!(
        String::from_utf8(written.clone()).unwrap(),
        expected.concat()
    );
    assert_eq!(ModelStatement::parse(&written).unwrap(), statement);
}

#[test]
fn what_older_signers_leave_out_or_add_is_accepted() {
    let accepted = changed(|value| {
        serialization(value)
            .as_object_mut()
            .unwrap()
            .remove("ignore_paths");
        serialization(value)["allow_symlinks"] = json!(true);
        value["subject"][0]["name"] = json!("model");
        first(value)["media_type"] = json!("text/plain");
        value["predicate"]["another"] = json!(1);
    });
    assert_eq!(accepted.unwrap().ignore_paths, IgnorePaths::default());
    let paths: Vec<String> = changed(|_| {})
        .unwrap()
        .ignore_paths
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(paths.len(), GIT_NAMES.len() + 1);
    assert!(paths.contains(&"model.sig".to_owned()));
}

/// Deviation 3.6 b of release 1.1: a model that is one file is called `.`.
#[test]
fn single_file_may_have_no_name() {
    let sha256 = sha256("x");
    let statement = changed(|value| {
        value["predicate"]["resources"] =
            json!([{ "name": ".", "algorithm": "sha256", "digest": sha256.hex() }]);
        let root = Signed::Single(sha256).root();
        value["subject"][0]["digest"]["sha256"] = json!(root.hex());
    });
    assert_eq!(statement.unwrap().files, Signed::Single(sha256));
    let two = refusal(|value| first(value)["name"] = json!("."));
    assert!(two.contains("`.` or `..` component"), "{two}");
}

#[test]
fn other_statements_are_refused() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (
            |value| value["predicateType"] = json!("https://model_signing/signature/v2.0"),
            "its predicate is \"https://model_signing/signature/v2.0\", expected `https://model_signing/signature/v1.0`",
        ),
        (
            |value| value["predicateType"] = json!("https://model_signing/Digests/v0.1"),
            "the signature has the predicate of release 0.2, which modelctl does not verify: sign files with SHA-256",
        ),
        (
            |value| {
                let subject = value["subject"][0].clone();
                value["subject"].as_array_mut().unwrap().push(subject);
            },
            "it has 2 subjects, expected one",
        ),
        (
            |value| value["subject"] = json!([]),
            "the signed statement has no subject",
        ),
        (
            |value| value["_type"] = json!("https://in-toto.io/Statement/v0.1"),
            "the signed payload is a \"https://in-toto.io/Statement/v0.1\", expected \"https://in-toto.io/Statement/v1\"",
        ),
        (
            |value| drop(value.as_object_mut().unwrap().remove("predicate")),
            "the signed statement is no OpenSSF Model Signing statement: invalid type: null, expected struct Predicate",
        ),
        (
            |value| value["predicate"]["resources"] = json!([]),
            "there are no files to sign",
        ),
        (
            |value| {
                drop(
                    value["predicate"]
                        .as_object_mut()
                        .unwrap()
                        .remove("serialization"),
                )
            },
            "missing field `serialization`",
        ),
    ];
    for (change, expected) in cases {
        let refused = refusal(change);
        assert!(refused.ends_with(expected), "{refused}");
    }
}

/// A root that is not that of the files is refused, as by the reference.
#[test]
fn root_of_other_files_is_refused() {
    let wrong = refusal(|value| value["subject"][0]["digest"]["sha256"] = json!("00".repeat(32)));
    assert!(wrong.contains("its files give 77faf8a0"), "{wrong}");
    let none = refusal(|value| value["subject"][0]["digest"] = json!({ "sha512": "00" }));
    assert!(none.contains("has the SHA-256 \"none\""), "{none}");
    let swapped = refusal(|value| {
        let list = value["predicate"]["resources"].as_array_mut().unwrap();
        list.swap(0, 1);
    });
    assert!(swapped.contains("its files give"), "{swapped}");
}

/// OMS v1.0, sections 6.3.2 and 7: what is optional and not read is named.
#[test]
fn other_hashes_and_methods_are_named_in_the_refusal() {
    let end = ", which modelctl does not verify: sign files with SHA-256";
    let shards = refusal(|value| {
        serialization(value)["method"] = json!("shards");
        serialization(value)["shard_size"] = json!(8.0);
    });
    assert_eq!(
        shards,
        format!("the signature has digests of shards instead of files{end}")
    );
    for hash in ["blake2b", "blake3", "sha512"] {
        let whole = refusal(|value| serialization(value)["hash_type"] = json!(hash));
        assert_eq!(
            whole,
            format!("the signature has digests of the algorithm {hash:?}{end}")
        );
        let one = refusal(|value| first(value)["algorithm"] = json!(hash));
        assert_eq!(one, whole);
    }
    let method = refusal(|value| serialization(value)["method"] = json!("tar"));
    assert!(
        method.ends_with("its method is \"tar\", expected `files`"),
        "{method}"
    );
}

/// Security rows A04 and A41: names and digests that could mean something else.
#[test]
fn a41_hostile_names_and_digests_are_refused() {
    for name in ["../x", "/etc/passwd", "a//b", "a/", "", "a/./b", "a\0"] {
        let refused = refusal(|value| first(value)["name"] = json!(name));
        assert!(
            refused.contains("is not the name of a file in a model"),
            "{refused}"
        );
    }
    for digest in [
        "",
        "00",
        &"A0".repeat(32),
        &"00".repeat(33),
        &"g0".repeat(32),
    ] {
        let refused = refusal(|value| first(value)["digest"] = json!(digest));
        assert!(
            refused.ends_with("no SHA-256 in lower-case hex"),
            "{refused}"
        );
    }
    let twice = refusal(|value| {
        let name = value["predicate"]["resources"][1]["name"].clone();
        first(value)["name"] = name;
    });
    assert!(twice.ends_with("it lists `empty.txt` twice"), "{twice}");
    let all = refusal(|value| serialization(value)["ignore_paths"] = json!(["./"]));
    assert!(
        all.ends_with("cannot be left out of a signature: it is the whole model"),
        "{all}"
    );
    let text = String::from_utf8(VECTOR.to_vec()).unwrap();
    let doubled = text.replacen("\"method\"", "\"method\": \"files\", \"method\"", 1);
    assert_ne!(doubled, text);
    assert!(ModelStatement::parse(doubled.as_bytes()).is_err());
}
