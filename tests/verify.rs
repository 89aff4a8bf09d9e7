//! Verification of artifacts, folders and layouts: every fault is a finding, and none hides another.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use modelctl::materialise::{PullOptions, pull};
use modelctl::model::{Form, ModelError, ModelManifest};
use modelctl::oci::{Descriptor, media_type};
use modelctl::store::{Layout, Storage};
use modelctl::verify::{self, ArtifactOptions, Check, Code, Finding, Outcome, VerifyError};
use modelctl::{Error, ErrorKind};

use crate::support::handmade::{Artifact, noise, path, sha256};

/// What fails: check, subject and code.
fn failures(findings: &[Finding]) -> Vec<(Check, &str, Code)> {
    let failed = findings.iter().filter(|finding| finding.is_failure());
    failed
        .map(|finding| (finding.check, finding.subject.as_str(), finding.code))
        .collect()
}

async fn pulled(artifact: &Artifact, target: &Path, form: Form) {
    let (blobs, document) = artifact.finish();
    let options = PullOptions {
        form,
        ..PullOptions::default()
    };
    pull(&blobs, &document, target, &options).await.unwrap();
}

/// The split model with tensors: one that is right, one whose SHA-256 is another's.
fn with_tensors() -> Artifact {
    let mut artifact = Artifact::split_model();
    let shard = artifact.blobs.0[&artifact.model.layers[2].digest].clone();
    for (index, name) in ["right", "wrong"].into_iter().enumerate() {
        let offset = index * 4096;
        let seen = offset - usize::from(name == "wrong");
        artifact.model.tensors.push(modelctl::model::Tensor {
            graph: path("model.onnx"),
            scope: "if_0/then_branch".to_owned(),
            name: name.to_owned(),
            dtype: "float".to_owned(),
            shape: vec![1024],
            layer: 2,
            offset: offset as u64,
            length: 4096,
            sha256: Some(sha256(&shard[seen..seen + 4096])),
        });
    }
    artifact
}

#[tokio::test(flavor = "multi_thread")]
async fn sound_artifact_has_no_failure_and_says_what_it_has_not_read() {
    let (blobs, document) = Artifact::split_model().finish();
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    assert_eq!(failures(&findings), []);
    let unchecked = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Unchecked);
    let unchecked: Vec<&str> = unchecked.map(|finding| finding.subject.as_str()).collect();
    assert_eq!(unchecked, ["model.onnx"]);
    let options = ArtifactOptions { split_files: true };
    let findings = verify::artifact(&blobs, &document, &options).await.unwrap();
    assert!(
        findings
            .iter()
            .all(|finding| finding.outcome == Outcome::Pass)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn split_file_with_another_sha256_is_found_if_asked_for() {
    let mut artifact = Artifact::split_model();
    artifact.model.files[4].sha256 = sha256(b"another model");
    let (blobs, document) = artifact.finish();
    for split_files in [false, true] {
        let options = ArtifactOptions { split_files };
        let findings = verify::artifact(&blobs, &document, &options).await.unwrap();
        let expected = [(Check::File, "model.onnx", Code::Mismatch)];
        assert_eq!(failures(&findings), expected[..usize::from(split_files)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_blob_of_an_artifact_is_found() {
    let artifact = Artifact::split_model();
    let (mut blobs, document) = artifact.finish();
    let digest = |layer: usize| artifact.model.layers[layer].digest;
    blobs.0.remove(&digest(0));
    blobs.0.get_mut(&digest(1)).unwrap()[2_000_000] ^= 1;
    blobs.0.get_mut(&digest(4)).unwrap().push(0);
    blobs.0.get_mut(&digest(5)).unwrap().pop();
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    assert_eq!(
        failures(&findings),
        [
            (Check::Layer, "model.onnx", Code::Missing),
            (Check::Layer, "model.onnx_data_0", Code::Mismatch),
            (Check::Layer, ".modelctl/tests.tar", Code::Mismatch),
            (Check::Layer, "sub folder/labels.txt", Code::Mismatch),
        ]
    );
    let shard = digest(1).to_string();
    assert!(
        findings
            .iter()
            .any(|finding| finding.message.contains(&shard))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tensors_and_files_that_are_one_range_are_hashed_in_the_same_pass() {
    let mut artifact = with_tensors();
    artifact.model.files[0].sha256 = sha256(b"another input");
    let (blobs, document) = artifact.finish();
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    let expected = [
        (
            Check::Tensor,
            "model.onnx: if_0/then_branch/wrong",
            Code::Mismatch,
        ),
        (
            Check::File,
            ".modelctl/tests/case_0/input_0.pb",
            Code::Mismatch,
        ),
    ];
    assert_eq!(failures(&findings), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_model_manifest_does_not_hide_a_bad_layer() {
    let mut artifact = Artifact::split_model();
    artifact.model.files[2].size += 1;
    let (mut blobs, document) = artifact.finish();
    blobs.0.get_mut(&artifact.model.layers[2].digest).unwrap()[0] ^= 1;
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    let expected = [
        (
            Check::ModelManifest,
            ".modelctl/manifest.json",
            Code::Mismatch,
        ),
        (Check::Layer, "model.onnx_data_1", Code::Mismatch),
    ];
    assert_eq!(failures(&findings), expected);
    assert!(
        findings[1].message.contains("extent-sum"),
        "{:?}",
        findings[1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_folder_of_either_form_is_a_model_directory() {
    for form in [Form::Original, Form::Split] {
        let folder = tempfile::tempdir().unwrap();
        let artifact = Artifact::split_model();
        pulled(&artifact, folder.path(), form).await;
        // What may stand beside a model.
        fs::write(folder.path().join(".gitignore"), "x").unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        fs::write(folder.path().join(".git/HEAD"), "x").unwrap();
        let report = verify::directory(folder.path()).unwrap();
        assert_eq!(failures(&report.findings), []);
        assert_eq!(report.form, form);
        let directory = report.directory.unwrap();
        assert_eq!(directory.manifest(), &artifact.model);
        assert_eq!(directory.form(), form);
        let files = report
            .findings
            .iter()
            .filter(|finding| finding.check == Check::File);
        assert!(
            files
                .clone()
                .all(|finding| finding.outcome == Outcome::Pass)
        );
        assert_eq!(files.count(), artifact.files.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_pulled_folder_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    pulled(&Artifact::split_model(), root, Form::Original).await;
    fs::write(root.join("extra.bin"), "x").unwrap();
    fs::write(root.join(".modelctl/stranger"), "x").unwrap();
    fs::remove_file(root.join("copy of labels")).unwrap();
    fs::write(root.join("run.sh"), noise(8, 77)).unwrap();
    fs::write(root.join("empty/file"), "x").unwrap();
    let labels = root.join("sub folder/labels.txt");
    fs::rename(&labels, root.join(".gitattributes")).unwrap();
    symlink(root.join(".gitattributes"), &labels).unwrap();
    let report = verify::directory(root).unwrap();
    let mut found = failures(&report.findings);
    found.sort_by_key(|(_, subject, _)| *subject);
    assert_eq!(
        found,
        [
            (Check::File, ".modelctl/stranger", Code::Unexpected),
            (Check::File, "copy of labels", Code::Missing),
            (Check::File, "empty/file", Code::Mismatch),
            (Check::File, "extra.bin", Code::Unexpected),
            (Check::File, "run.sh", Code::Mismatch),
            (Check::File, "sub folder/labels.txt", Code::NotRegular),
        ]
    );
    assert!(report.directory.is_none());
}

/// A link in the place of a folder is not followed.
#[tokio::test(flavor = "multi_thread")]
async fn folder_that_became_a_link_holds_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    pulled(&Artifact::split_model(), &root, Form::Original).await;
    fs::rename(root.join("sub folder"), folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), root.join("sub folder")).unwrap();
    let report = verify::directory(&root).unwrap();
    let expected = [
        (Check::File, "sub folder/labels.txt", Code::Missing),
        (Check::File, "sub folder", Code::Unexpected),
    ];
    assert_eq!(failures(&report.findings), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_folder_in_the_split_form_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut artifact = with_tensors();
    // The packer has named another SHA-256 for a file that is made of several ranges.
    artifact.model.files[4].sha256 = sha256(b"another model");
    pulled(&artifact, root, Form::Split).await;
    fs::write(root.join("run.sh"), noise(8, 77)).unwrap();
    fs::write(root.join("copy of labels"), "an original that no layer is").unwrap();
    let report = verify::directory(root).unwrap();
    assert_eq!(
        failures(&report.findings),
        [
            (Check::Layer, "run.sh", Code::Mismatch),
            (
                Check::Tensor,
                "model.onnx: if_0/then_branch/wrong",
                Code::Mismatch
            ),
            (Check::File, "model.onnx", Code::Mismatch),
            (Check::File, "copy of labels", Code::Unexpected),
        ]
    );
}

#[test]
fn folder_without_a_model_manifest_cannot_be_verified() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), "x").unwrap();
    let error = verify::directory(folder.path()).unwrap_err();
    assert!(matches!(error, VerifyError::NoManifest(_)));
    assert_eq!(Error::from(error).kind(), ErrorKind::Unsupported);
}

#[test]
fn folder_with_a_broken_model_manifest_has_one_finding() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".modelctl")).unwrap();
    let broken = br#"{"schemaVersion":1,"requires":["delta"]}"#;
    fs::write(folder.path().join(".modelctl/manifest.json"), broken).unwrap();
    let error = ModelManifest::parse_alone(broken).unwrap_err();
    assert!(matches!(error, ModelError::Manifest(_)));
    let report = verify::directory(folder.path()).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].code, Code::Invalid);
    assert_eq!(report.findings[0].message, error.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn layout_is_verified_blob_by_blob_and_entry_by_entry() {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(folder.path()).unwrap();
    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let manifest = document.manifest().unwrap();
    for blob in manifest.blobs() {
        layout.push(blob, &blobs.0[&blob.digest]).await.unwrap();
    }
    let root = Descriptor::of(media_type::MANIFEST, document.raw());
    layout.push(&root, &document.raw().to_vec()).await.unwrap();
    layout.tag_as(&root, "demo/mlp:v1").unwrap();
    assert_eq!(failures(&verify::layout(&layout).unwrap()), []);

    let (gone, corrupt) = (
        artifact.model.layers[6].digest,
        artifact.model.layers[1].digest,
    );
    fs::remove_file(layout.blob_path(&gone)).unwrap();
    let mut bytes = fs::read(layout.blob_path(&corrupt)).unwrap();
    bytes[1_500_000] ^= 1;
    fs::remove_file(layout.blob_path(&corrupt)).unwrap();
    fs::write(layout.blob_path(&corrupt), bytes).unwrap();
    let findings = verify::layout(&layout).unwrap();
    let expected = [
        (Check::Blob, corrupt.to_string(), Code::Mismatch),
        (Check::Entry, "demo/mlp:v1".to_owned(), Code::Missing),
    ];
    let found = failures(&findings)
        .into_iter()
        .map(|(check, subject, code)| (check, subject.to_owned(), code));
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
