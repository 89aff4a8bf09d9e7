//! Pulling an artifact into a folder: what is written, over what, and what is left when it fails.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use modelctl::materialise::{PullOptions, PullReport, pull};
use modelctl::model::Form;
use modelctl::model::source::Globs;
use modelctl::oci::Document;
use modelctl::{ErrorKind, Result};

use crate::support::handmade::{Artifact, Blobs, read_tree};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = { entries }
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a complete pull of the artifact writes.
fn expected(artifact: &Artifact) -> BTreeMap<String, Vec<u8>> {
    let mut files = artifact.files.clone();
    files.insert(
        ".modelctl/signatures/0.sig".to_owned(),
        b"{\"sig\":0}".to_vec(),
    );
    files.insert(
        ".modelctl/manifest.json".to_owned(),
        artifact.model.to_bytes(),
    );
    files
}

async fn pull_to(
    source: &(Blobs, Document),
    target: &Path,
    options: &PullOptions,
) -> Result<PullReport> {
    pull(&source.0, &source.1, target, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_writes_the_original_files_and_the_mark() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("new/models/out");
    let artifact = Artifact::split_model();
    let report = pull_to(&artifact.finish(), &target, &PullOptions::default()).await;
    let report = report.unwrap();
    assert_eq!(read_tree(&target), expected(&artifact));
    assert_eq!(report.files, expected(&artifact).len());
    let size: usize = expected(&artifact).values().map(Vec::len).sum();
    assert_eq!(report.size, size as u64);
    let directory = report.directory.unwrap();
    assert_eq!(directory.root(), target);
    assert_eq!(directory.manifest(), &artifact.model);
    assert_eq!(names(target.parent().unwrap()), ["out"]);
    let mode = |path: &str| target.join(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("run.sh"), 0o755);
    assert_eq!(mode("model.onnx"), 0o644);
    assert_eq!(mode(".modelctl/manifest.json"), 0o644);
    for path in ["", "sub folder", ".modelctl", ".modelctl/tests/case_0"] {
        assert_eq!(mode(path), 0o755, "{path:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_in_the_split_form_writes_the_layers_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let artifact = Artifact::split_model();
    let options = PullOptions {
        form: Form::Split,
        ..PullOptions::default()
    };
    let report = pull_to(&artifact.finish(), &target, &options)
        .await
        .unwrap();
    let titled = artifact.layers.iter().map(|layer| {
        let bytes = artifact.blobs.0[&layer.digest].clone();
        (layer.title().unwrap().to_owned(), bytes)
    });
    let mut expected: BTreeMap<String, Vec<u8>> = titled.collect();
    expected.insert(
        ".modelctl/manifest.json".to_owned(),
        artifact.model.to_bytes(),
    );
    assert_eq!(read_tree(&target), expected);
    // The originals can be read out of the layers.
    let directory = report.directory.unwrap();
    for file in &directory.manifest().files {
        let mut bytes = Vec::new();
        directory
            .open(file)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        assert!(bytes == artifact.files[file.path.as_str()], "{}", file.path);
    }
}
