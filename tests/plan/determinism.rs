//! Same input, same digest: on every path, with every umask, in every order, at every time.
//!
//! The golden digests are a promise to everyone who has an artifact. Changing one needs a line in
//! CHANGELOG.md, and a reader that still reads the old form.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use modelctl::plan::{self, ArtifactPlan, PlanOptions, TestSet};

use crate::support::models::{FLOAT, external_sum, floats, inline_sum, tensor};

/// Files of a model, and the digest of its artifact.
struct Golden {
    files: Vec<(&'static str, Vec<u8>)>,
    digest: &'static str,
}

const MIB: usize = 1024 * 1024 / 4;

fn single_file() -> Golden {
    let small = (0..40).map(|n| (["a", "b", "c", "d"][n % 4], 1000 + 37 * n, n as u64));
    let large = [("large", MIB, 100), ("larger", 2 * MIB, 101)];
    let tensors: Vec<_> = small.chain(large).collect();
    Golden {
        files: vec![("model.onnx", inline_sum(&tensors))],
        digest: "sha256:24c1d7e9eae1cb4e38b5ad5bdac6912e61da6a27a3eb12eaccf54c1a438c133d",
    }
}

fn external_data() -> Golden {
    let tensors = [("w", MIB, 4096), ("bias", 300, 0), ("tiny", 16, 2000)];
    Golden {
        files: vec![
            ("model.onnx", external_sum("weights/model.bin", &tensors)),
            ("weights/model.bin", floats(7, MIB + 1024 + 5)),
        ],
        digest: "sha256:7a594b91ef07043b90d41a8d79993f478849ced0a443518d5b0f4a3b9284f39e",
    }
}

fn two_graphs() -> Golden {
    let shared = 4 * MIB as u64;
    Golden {
        files: vec![
            (
                "decoder.onnx",
                external_sum("sub/shared.bin", &[("w", MIB, 0), ("d", 900, shared)]),
            ),
            (
                "sub/encoder.onnx",
                external_sum("shared.bin", &[("weight", MIB, 0)]),
            ),
            ("sub/shared.bin", floats(8, MIB + 900)),
            ("labels.txt", b"cat\ndog\n".to_vec()),
        ],
        digest: "sha256:970c61e4c921f947bd0e9cd63ff9582fed9d0683902e0f802fc16c12c836ed50",
    }
}

fn other_files() -> Golden {
    Golden {
        files: vec![
            ("LICENSE", b"Apache-2.0\n".to_vec()),
            ("README.md", b"# A model\n".to_vec()),
            ("config.json", b"{}".to_vec()),
            ("empty.txt", Vec::new()),
            ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}".to_vec()),
            ("run.sh", b"#!/bin/sh\n".to_vec()),
            ("\u{fc}/a b.txt", b"x".to_vec()),
        ],
        digest: "sha256:3e2fc530133b8885e46301d4cf69e92e2679852f841af178a04a16532c9c2fc9",
    }
}

/// How a folder is made; none of it may show.
struct Circumstances {
    reversed: bool,
    file_mode: u32,
    folder_mode: u32,
    modified: u64,
}

impl Golden {
    fn write(&self, root: &Path, how: &Circumstances) {
        let mut files: Vec<_> = self.files.iter().collect();
        if how.reversed {
            files.reverse();
        }
        for (path, content) in files {
            let target = root.join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(&target, content).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(how.modified);
            File::options()
                .append(true)
                .open(&target)
                .unwrap()
                .set_modified(time)
                .unwrap();
            let executable = if path.ends_with(".sh") { 0o111 } else { 0 };
            let mode = how.file_mode | (executable & how.folder_mode);
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            if target.parent() != Some(root) {
                let mode = fs::Permissions::from_mode(how.folder_mode);
                fs::set_permissions(target.parent().unwrap(), mode).unwrap();
            }
        }
    }
}

fn with_umask_022(name: &str, golden: &Golden) -> (tempfile::TempDir, std::path::PathBuf) {
    made(
        name,
        golden,
        &Circumstances {
            reversed: false,
            file_mode: 0o644,
            folder_mode: 0o755,
            modified: 1_000_000_000,
        },
    )
}

fn with_umask_077(name: &str, golden: &Golden) -> (tempfile::TempDir, std::path::PathBuf) {
    made(
        name,
        golden,
        &Circumstances {
            reversed: true,
            file_mode: 0o600,
            folder_mode: 0o700,
            modified: 1_700_000_123,
        },
    )
}

fn made(
    name: &str,
    golden: &Golden,
    how: &Circumstances,
) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(name);
    golden.write(&root, how);
    (folder, root)
}

fn check(golden: &Golden) {
    let digest = |root: &Path| {
        let plan = plan::build(root, &PlanOptions::default()).unwrap();
        plan.manifest.digest().to_string()
    };
    let (_first, root) = with_umask_022("model", golden);
    let first = digest(&root);
    let (_second, root) = with_umask_077("another/path to it", golden);
    assert_eq!(first, digest(&root), "the circumstances show in the digest");
    assert_eq!(first, golden.digest, "the form of artifacts changed");
}

#[test]
fn single_file_has_its_golden_digest() {
    check(&single_file());
}

#[test]
fn external_data_has_its_golden_digest() {
    check(&external_data());
}

#[test]
fn two_graphs_have_their_golden_digest() {
    check(&two_graphs());
}

#[test]
fn folder_of_other_files_has_its_golden_digest() {
    check(&other_files());
}

/// Plans the other files with everything that a caller can say, tests included.
fn with_options(root: &Path, tests: &Path) -> ArtifactPlan {
    let options = PlanOptions {
        name: Some("demo".to_owned()),
        version: Some("1.2".to_owned()),
        licenses: vec!["Apache-2.0".to_owned(), "MIT".to_owned()],
        annotations: [("org.example.key".to_owned(), "<value>".to_owned())].into(),
        created: Some(1_700_000_000),
        tests: vec![TestSet::new(tests, None)],
        ..PlanOptions::default()
    };
    plan::build(root, &options).unwrap()
}

#[test]
fn options_and_tests_have_their_golden_digest() {
    let tests = Golden {
        files: vec![
            ("case_b/input_0.pb", tensor("x", FLOAT, &[1], &floats(1, 1))),
            (
                "case_b/output_0.pb",
                tensor("y", FLOAT, &[1], &floats(2, 1)),
            ),
            ("case_a/input_0.pb", tensor("x", FLOAT, &[1], &floats(3, 1))),
            (
                "case_a/output_0.pb",
                tensor("y", FLOAT, &[1], &floats(4, 1)),
            ),
        ],
        digest: "sha256:8944b5f5045c0380259e29cb184c14e463fb57368b247113429c74a47aa58e1f",
    };
    let golden = single_file();
    let (_a, root) = with_umask_022("m", &golden);
    let (_b, cases) = with_umask_022("tests", &tests);
    let first = with_options(&root, &cases);
    let (_c, root) = with_umask_077("n", &golden);
    let (_d, cases) = with_umask_077("other", &tests);
    let second = with_options(&root, &cases);
    assert_eq!(first.manifest.digest(), second.manifest.digest());
    assert_eq!(first.manifest.digest().to_string(), tests.digest);
}

/// A newer release of the tool packs the same bytes.
#[test]
fn no_document_names_the_version_of_the_tool() {
    let (_folder, root) = with_umask_022("m", &two_graphs());
    let plan = plan::build(&root, &PlanOptions::default()).unwrap();
    let manifest = plan.model_manifest.to_bytes();
    for document in [plan.manifest.raw(), &plan.config, &manifest] {
        let text = std::str::from_utf8(document).unwrap();
        assert!(!text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    }
}

#[test]
fn executable_files_stay_so() {
    let (_folder, root) = with_umask_077("m", &other_files());
    let plan = plan::build(&root, &PlanOptions::default()).unwrap();
    let executable = plan
        .model_manifest
        .files
        .iter()
        .filter(|file| file.executable);
    let paths: Vec<&str> = executable.map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["run.sh"]);
}
