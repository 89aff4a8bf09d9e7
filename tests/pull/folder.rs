//! Pulling an artifact into a folder: what is written, over what, and what is left when it fails.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use modelctl::materialise::{PullOptions, PullReport, pull};
use modelctl::model::source::Globs;
use modelctl::model::{Form, Role};
use modelctl::oci::{Document, media_type};
use modelctl::transfer::Jobs;
use modelctl::{ErrorKind, Result};

use crate::support::folder::names;
use crate::support::handmade::{Artifact, Blobs, noise, read_tree};

/// What a complete pull of the artifact writes.
pub(super) fn expected(artifact: &Artifact) -> BTreeMap<String, Vec<u8>> {
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

pub(super) async fn pull_to(
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

/// An artifact whose extents overlap, repeat and cross the buffers, in every order.
pub(super) fn tangled(seed: u64) -> Artifact {
    let random = noise(100 + seed, 4096);
    let mut random = random.chunks(4).map(|bytes| {
        let bytes: [u8; 4] = bytes.try_into().unwrap();
        u64::from(u32::from_le_bytes(bytes))
    });
    let mut below = |limit: u64| random.next().unwrap() % limit;
    let mut artifact = Artifact::empty();
    let sizes: Vec<u64> = (0..4).map(|_| 1 + below(3_000_000)).collect();
    for (index, size) in sizes.iter().enumerate() {
        let bytes = noise(seed * 10 + index as u64, *size as usize);
        artifact.layer(
            media_type::LAYER_WEIGHTS,
            &format!("w_data_{index}"),
            &bytes,
        );
    }
    for file in 0..6 {
        let extents: Vec<(u32, u64, u64)> = (0..below(12))
            .map(|_| {
                let layer = below(4);
                let offset = below(sizes[layer as usize]);
                let length = 1 + below(sizes[layer as usize] - offset);
                (layer as u32, offset, length)
            })
            .collect();
        artifact.file(&format!("file {file}"), Role::Weights, &extents);
    }
    artifact
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_inverts_extents_of_any_kind() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let artifact = tangled(seed);
        let target = folder.path().join("out");
        let options = PullOptions {
            jobs: Jobs::Fixed(1 + seed as usize),
            bare: true,
            ..PullOptions::default()
        };
        pull_to(&artifact.finish(), &target, &options)
            .await
            .unwrap();
        assert!(read_tree(&target) == artifact.files, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_of_a_part_writes_no_mark_and_needs_force_to_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let artifact = Artifact::split_model();
    let only = |patterns: &[&str]| PullOptions {
        only: Some(Globs::new(patterns).unwrap()),
        ..PullOptions::default()
    };
    let (blobs, document) = artifact.finish();
    // Layers that are not needed are not fetched.
    let mut few = blobs.clone();
    few.0
        .retain(|digest, _| *digest != artifact.model.layers[1].digest);
    let options = only(&["*.txt", "run.sh"]);
    let report = pull(&few, &document, &target, &options).await.unwrap();
    assert!(report.directory.is_none());
    assert_eq!(report.files, 2);
    let written: Vec<String> = read_tree(&target).into_keys().collect();
    assert_eq!(written, ["run.sh", "sub folder/labels.txt"]);

    let whole = (blobs, document);
    let error = pull_to(&whole, &target, &PullOptions::default()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Usage);
    let options = PullOptions {
        force: true,
        // Everything is named, so it is not a part.
        ..only(&["*"])
    };
    let report = pull_to(&whole, &target, &options).await.unwrap();
    assert!(report.directory.is_some());
    assert_eq!(read_tree(&target), expected(&artifact));

    let error = pull_to(&whole, &target, &only(&["*.gguf"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("`model.onnx`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bare_pull_leaves_our_folder_out() {
    let folder = tempfile::tempdir().unwrap();
    let artifact = Artifact::split_model();
    let mut options = PullOptions {
        bare: true,
        ..PullOptions::default()
    };
    let target = folder.path().join("original");
    let report = pull_to(&artifact.finish(), &target, &options)
        .await
        .unwrap();
    assert!(report.directory.is_none());
    let mut expected = artifact.files.clone();
    expected.retain(|path, _| !path.starts_with(".modelctl/"));
    assert_eq!(read_tree(&target), expected);

    options.form = Form::Split;
    let target = folder.path().join("split");
    pull_to(&artifact.finish(), &target, &options)
        .await
        .unwrap();
    let written: Vec<String> = read_tree(&target).into_keys().collect();
    let layers = ["model.onnx", "model.onnx_data_0", "model.onnx_data_1"];
    assert_eq!(written[..3], layers);
    assert_eq!(written[3..], ["run.sh", "sub folder/labels.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_pull_is_replaced_in_either_form() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let first = Artifact::split_model();
    pull_to(&first.finish(), &target, &PullOptions::default())
        .await
        .unwrap();
    let mut second = Artifact::empty();
    let layer = second.layer(media_type::LAYER_FILE, "new.txt", b"new");
    second.file("new.txt", Role::Other, &[(layer, 0, 3)]);
    for (artifact, form) in [
        (&second, Form::Original),
        (&first, Form::Split),
        (&second, Form::Split),
    ] {
        let options = PullOptions {
            form,
            ..PullOptions::default()
        };
        pull_to(&artifact.finish(), &target, &options)
            .await
            .unwrap();
        assert_eq!(names(folder.path()), ["out"]);
    }
    let files: Vec<String> = read_tree(&target).into_keys().collect();
    assert_eq!(files, [".modelctl/manifest.json", "new.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_that_no_pull_wrote_is_replaced_by_force_only() {
    let source = Artifact::split_model().finish();
    let foreign: [fn(&Path); 4] = [
        |out| fs::write(out.join("notes.txt"), "mine").unwrap(),
        |out| fs::create_dir(out.join(".git")).unwrap(),
        |out| {
            fs::create_dir(out.join(".modelctl")).unwrap();
            fs::write(out.join(".modelctl/manifest.json"), "{}").unwrap();
        },
        |out| std::os::unix::fs::symlink("/", out.join("root")).unwrap(),
    ];
    for prepare in foreign {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        // An empty folder is in nobody's way.
        pull_to(&source, &target, &PullOptions::default())
            .await
            .unwrap();
        fs::remove_dir_all(&target).unwrap();
        fs::create_dir(&target).unwrap();
        prepare(&target);
        let before = names(&target);
        let error = pull_to(&source, &target, &PullOptions::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("--force"), "{error}");
        assert_eq!(names(&target), before);
        let options = PullOptions {
            force: true,
            ..PullOptions::default()
        };
        pull_to(&source, &target, &options).await.unwrap();
        assert!(target.join(".modelctl/manifest.json").is_file());
        assert_eq!(names(folder.path()), ["out"]);
    }
}

/// An earlier pull is the user's again as soon as something was put beside it.
#[tokio::test(flavor = "multi_thread")]
async fn earlier_pull_with_a_file_of_the_user_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let source = Artifact::split_model().finish();
    pull_to(&source, &target, &PullOptions::default())
        .await
        .unwrap();
    fs::write(target.join("sub folder/mine.txt"), "mine").unwrap();
    let error = pull_to(&source, &target, &PullOptions::default()).await;
    let message = error.unwrap_err().to_string();
    assert!(message.contains("`sub folder/mine.txt`"), "{message}");
    assert_eq!(
        fs::read(target.join("sub folder/mine.txt")).unwrap(),
        b"mine"
    );
}
