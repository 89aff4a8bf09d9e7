//! The direction of dependencies is a test: ARCHITECTURE.md, "Invariants".

use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use of the crate, and the heavy crates that it alone imports.
const RULES: [(&str, &[&str], &[&str]); 19] = [
    (
        "error",
        &[
            "oci",
            "model",
            "onnx",
            "plan",
            "pack",
            "store",
            "transport",
            "transfer",
            "seed",
            "materialise",
            "verify",
            "trust",
            "run",
            "registry",
        ],
        &[],
    ),
    ("oci", &[], &["sha2", "oci_client"]),
    ("model", &["oci", "onnx"], &["ignore"]),
    ("onnx", &[], &[]),
    ("plan", &["oci", "model", "onnx", "store"], &["tar"]),
    ("pack", &["oci", "plan", "store", "transfer"], &[]),
    ("store", &["oci"], &["tar", "flate2"]),
    (
        "transport",
        &["oci", "store"],
        &["reqwest", "rustls", "http_auth"],
    ),
    ("transfer", &["oci", "store"], &[]),
    ("seed", &["oci", "model", "store"], &[]),
    ("diff", &["oci", "model", "seed"], &[]),
    ("materialise", &["oci", "model", "store", "transfer"], &[]),
    ("verify", &["oci", "model", "store", "materialise"], &[]),
    (
        "trust",
        &["oci", "model", "store", "transfer", "verify"],
        &[
            "p256",
            "p384",
            "p521",
            "scrypt",
            "crypto_secretbox",
            "toml",
            "ring",
            "sigstore_verify",
            "webpki",
            "x509_cert",
        ],
    ),
    ("run", &["model", "onnx"], &["ort", "libloading", "half"]),
    (
        "gate",
        &["oci", "model", "store", "materialise", "verify", "trust"],
        &[],
    ),
    (
        "registry",
        &["oci", "store"],
        &["axum", "bcrypt", "hyper", "hyper_util", "tokio_rustls"],
    ),
    // Built for the fuzzer only.
    (
        "fuzzing",
        &["oci", "plan", "transport", "materialise", "registry"],
        &[],
    ),
    (
        "lib",
        &[
            "oci",
            "model",
            "onnx",
            "plan",
            "pack",
            "store",
            "transport",
            "transfer",
            "seed",
            "diff",
            "materialise",
            "verify",
            "trust",
            "run",
            "gate",
            "registry",
        ],
        &[],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Words of the code that follow `prefix`, comments left out.
fn words_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(move |line| line.split(prefix).skip(1))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default()
        })
}

/// Whether `name::` occurs as a word of its own.
fn imports(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        !code[..at]
            .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

#[test]
fn modules_use_only_what_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut faults = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs")
            .to_owned();
        if module == "bin" {
            continue;
        }
        let rule = RULES.iter().find(|(name, ..)| *name == module);
        let (_, uses, own) = rule.unwrap_or_else(|| panic!("{} has no rule", inside.display()));
        let text = fs::read_to_string(&file).unwrap();
        for word in words_after(&text, "crate::") {
            let known = RULES.iter().any(|(name, ..)| *name == word);
            if known && word != "error" && word != module && !uses.contains(&word) {
                faults.push(format!("{} uses crate::{word}", inside.display()));
            }
        }
        for (_, _, heavy) in RULES {
            for name in heavy.iter().filter(|name| !own.contains(name)) {
                if imports(&text, name) {
                    faults.push(format!("{} uses {name}", inside.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Where code may be unsafe, each time with the reason beside it.
const UNSAFE: [&str; 2] = ["src/oci/sha256/pair.rs", "src/run/engine/version.rs"];

#[test]
fn unsafe_code_stands_in_two_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut found: Vec<String> = files
        .iter()
        .filter(|file| {
            let code = fs::read_to_string(file).unwrap();
            let mut lines = code.lines().map(str::trim_start);
            lines.any(|line| !line.starts_with("//") && line.contains("unsafe_code"))
        })
        .map(|file| file.strip_prefix(root).unwrap().display().to_string())
        .collect();
    found.sort();
    assert_eq!(found, UNSAFE);
}
