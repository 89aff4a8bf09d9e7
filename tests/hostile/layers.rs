//! Layers that are not what they should be: changed, cut, full of links, or far too much (security
//! rows A10–A16, A25, A33).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use modelctl::ErrorKind;
use modelctl::materialise::{PullOptions, pull};
use modelctl::model::source::Globs;
use modelctl::model::{Extent, File, Form, Role};
use modelctl::oci::{Descriptor, Document, annotation, media_type};
use modelctl::store::Layout;
use modelctl::verify::{self, ArtifactOptions};

use crate::support::handmade::{Artifact, document, path, read_tree, sha256};

fn options(form: Form) -> PullOptions {
    PullOptions {
        form,
        ..PullOptions::default()
    }
}

/// Four bytes changed in each blob in turn: the error names it, and nothing is left under any name.
#[tokio::test(flavor = "multi_thread")]
async fn changed_blob_is_named_and_nothing_is_written() {
    let (blobs, document) = Artifact::split_model().finish();
    let manifest = document.manifest().unwrap();
    for form in [Form::Original, Form::Split] {
        for blob in manifest.blobs() {
            let folder = tempfile::tempdir().unwrap();
            let mut changed = blobs.clone();
            let bytes = changed.0.get_mut(&blob.digest).unwrap();
            let middle = bytes.len() / 2;
            let end = (middle + 4).min(bytes.len());
            bytes[middle..end].iter_mut().for_each(|byte| *byte ^= 0x55);
            let target = folder.path().join("out");
            let error = pull(&changed, &document, &target, &options(form)).await;
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Mismatch, "{:?}", blob.title());
            let named = error.to_string().contains(&blob.digest.to_string());
            assert!(named, "{error} does not name {}", blob.digest);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

/// The same over an earlier pull, which stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn failed_pull_leaves_an_earlier_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let mut artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    pull(&blobs, &document, &target, &options(Form::Original))
        .await
        .unwrap();
    let before = read_tree(folder.path());
    artifact.model.tests[0].rtol = 0.5;
    let (blobs, document) = artifact.finish();
    for blob in document.manifest().unwrap().blobs() {
        let mut missing = blobs.clone();
        missing.0.remove(&blob.digest);
        let error = pull(&missing, &document, &target, &options(Form::Original)).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(read_tree(folder.path()) == before);
    }
}

/// Security row A33.
#[tokio::test(flavor = "multi_thread")]
async fn blob_of_another_length_is_refused() {
    let (blobs, document) = Artifact::split_model().finish();
    let layer = &document.manifest().unwrap().layers[3];
    for change in [-1, 1, 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let mut changed = blobs.clone();
        let bytes = changed.0.get_mut(&layer.digest).unwrap();
        bytes.resize(bytes.len().checked_add_signed(change).unwrap(), 0);
        let target = folder.path().join("out");
        let error = pull(&changed, &document, &target, &options(Form::Original)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        let message = error.to_string();
        assert!(message.contains("2500000"), "{message}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// The blobs of a layout on disk, one of them rotten.
#[tokio::test(flavor = "multi_thread")]
async fn rotten_blob_of_a_layout_is_refused() {
    use modelctl::store::Storage as _;
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("layout")).unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    for blob in document.manifest().unwrap().blobs() {
        layout.push(blob, &blobs.0[&blob.digest]).await.unwrap();
    }
    let target = folder.path().join("out");
    let blob = &document.manifest().unwrap().layers[4];
    let file = layout.blob_path(&blob.digest);
    let mut bytes = fs::read(&file).unwrap();
    bytes[8000] ^= 1;
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let error = pull(&layout, &document, &target, &options(Form::Original)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Mismatch);
    assert!(!target.exists());
}

/// A tar with everything that an unpacker could fall for.
fn evil_tar(outside: &Path) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut entry = |kind: tar::EntryType, mode: u32, name: &str, link: Option<&Path>| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(if kind.is_file() { 8 } else { 0 });
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        if let Some(link) = link {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        let content: &[u8] = if kind.is_file() { b"8 bytes!" } else { b"" };
        builder.append(&header, content).unwrap();
    };
    entry(tar::EntryType::Symlink, 0o777, "d", Some(outside));
    entry(tar::EntryType::Regular, 0o6777, "d/f", None);
    entry(
        tar::EntryType::Link,
        0o644,
        "hard",
        Some(&outside.join("sentinel")),
    );
    entry(tar::EntryType::Char, 0o666, "device", None);
    entry(tar::EntryType::Fifo, 0o666, "pipe", None);
    entry(tar::EntryType::Regular, 0o644, "../../escape", None);
    builder.into_inner().unwrap()
}

/// Security rows A10–A12 and A15: no archive is unpacked, whatever is in it.
#[tokio::test(flavor = "multi_thread")]
async fn archives_are_bytes_and_nothing_in_them_is_interpreted() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("sentinel"), "mine").unwrap();
    let tar = evil_tar(outside.path());
    let mut artifact = Artifact::split_model();
    let layer = artifact.layer(media_type::LAYER_FILES, ".modelctl/files.tar", &tar);
    artifact.file("d/f", Role::Other, &[(layer, 1024, 8)]);
    artifact.file("whole.tar", Role::Other, &[(layer, 0, tar.len() as u64)]);
    let (blobs, document) = artifact.finish();
    for form in [Form::Original, Form::Split] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        pull(&blobs, &document, &target, &options(form))
            .await
            .unwrap();
        let written = read_tree(&target);
        match form {
            Form::Original => assert_eq!(written["d/f"], b"8 bytes!"),
            Form::Split => assert_eq!(written[".modelctl/files.tar"], tar),
        }
        for name in written.keys() {
            let metadata = target.join(name).symlink_metadata().unwrap();
            assert!(metadata.is_file(), "{name}");
            assert_eq!(metadata.nlink(), 1, "{name}");
            let mode = metadata.permissions().mode() & 0o7777;
            assert!(
                mode == 0o644 || mode == 0o755,
                "{name} has the mode {mode:o}"
            );
        }
        assert_eq!(read_tree(folder.path()).len(), written.len());
    }
    let sentinel = outside.path().join("sentinel").metadata().unwrap();
    assert_eq!(sentinel.nlink(), 1);
    assert_eq!(read_tree(outside.path()).len(), 1);
}

/// Security row A14: repeated extents make much of little; that is seen before anything is fetched.
#[tokio::test(flavor = "multi_thread")]
async fn model_larger_than_the_disk_is_refused_before_the_first_byte() {
    const HUGE: u64 = 1 << 50;
    let folder = tempfile::tempdir().unwrap();
    let mut artifact = Artifact::split_model();
    let layer = artifact.layer(media_type::LAYER_WEIGHTS, "w_data_0", b"small");
    // The blob itself is never looked at.
    artifact.model.layers[layer as usize].size = HUGE;
    artifact.layers.last_mut().unwrap().size = HUGE;
    let extent = Extent {
        layer,
        offset: 0,
        length: HUGE,
    };
    artifact.model.files.push(File {
        path: path("bomb"),
        size: HUGE * 3,
        sha256: sha256(b"whatever"),
        executable: false,
        role: Role::Weights,
        extents: vec![extent; 3],
    });
    let (mut blobs, document) = artifact.finish();
    let manifest = document.manifest().unwrap().layers[0].digest;
    blobs.0.retain(|digest, _| *digest == manifest);
    let target = folder.path().join("out");
    let error = pull(&blobs, &document, &target, &options(Form::Original)).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    let message = error.to_string();
    assert!(
        message.contains(": the model has 3072.1 TiB, "),
        "{message}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A manifest as oras, modctl or Docker write it: layers that are files.
fn foreign(layers: &[(&str, &str, &[u8])]) -> (crate::support::handmade::Blobs, Document) {
    let mut blobs = Artifact::empty().blobs;
    let described = layers.iter().map(|(media_type, title, bytes)| {
        let mut layer = Descriptor::of(*media_type, bytes);
        if !title.is_empty() {
            let key = annotation::TITLE.to_owned();
            layer.annotations.insert(key, (*title).to_owned());
        }
        blobs.0.insert(layer.digest, bytes.to_vec());
        layer
    });
    let described = described.collect();
    (blobs, document("application/vnd.example", described))
}

#[tokio::test(flavor = "multi_thread")]
async fn artifact_of_another_tool_is_pulled_as_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, document) = foreign(&[
        (
            "application/vnd.oci.image.layer.v1.tar",
            "model.onnx",
            b"the default type of oras",
        ),
        (
            "application/vnd.cncf.model.weight.v1.raw",
            "a/weights.bin",
            b"weights",
        ),
        ("application/vnd.docker.ai.license", "LICENSE", b"licence"),
        ("text/plain", "empty.txt", b""),
    ]);
    let target = folder.path().join("out");
    let report = pull(&blobs, &document, &target, &options(Form::Original)).await;
    // There is no model manifest to write, and so no mark.
    assert!(report.unwrap().directory.is_none());
    let expected: [(&str, &[u8]); 4] = [
        ("LICENSE", b"licence"),
        ("a/weights.bin", b"weights"),
        ("empty.txt", b""),
        ("model.onnx", b"the default type of oras"),
    ];
    let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    assert_eq!(read_tree(&target), BTreeMap::from(expected));
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    assert!(!findings.iter().any(|finding| finding.is_failure()));
}

/// Security row A33: layers that are empty, that occur twice, or of which there are many.
#[tokio::test(flavor = "multi_thread")]
async fn empty_repeated_and_many_layers_are_files_like_others() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..10_000).map(|number| format!("d/{number}")).collect();
    let mut layers = vec![
        ("text/plain", "empty", &b""[..]),
        ("text/plain", "once", b"same"),
        ("text/plain", "twice", b"same"),
    ];
    layers.extend(
        names
            .iter()
            .map(|name| ("text/plain", name.as_str(), &b"x"[..])),
    );
    let (blobs, document) = foreign(&layers);
    let findings = verify::artifact(&blobs, &document, &ArtifactOptions::default())
        .await
        .unwrap();
    assert!(!findings.iter().any(|finding| finding.is_failure()));
    assert!(findings.len() >= layers.len());
    // Ten thousand files take their time on a disk.
    let some = PullOptions {
        only: Some(Globs::new(["/empty", "/once", "/twice", "/d/99*"]).unwrap()),
        ..PullOptions::default()
    };
    let target = folder.path().join("out");
    pull(&blobs, &document, &target, &some).await.unwrap();
    let written = read_tree(&target);
    assert_eq!(written.len(), 3 + 111);
    for (_, name, bytes) in &layers {
        assert!(
            written.get(*name).is_none_or(|read| read == bytes),
            "{name}"
        );
    }
    // One name for two contents, or two for the same: either hides a file.
    for second in [&b"same"[..], b"other"] {
        let twice = [
            ("text/plain", "name", &b"same"[..]),
            ("text/plain", "name", second),
        ];
        let (blobs, document) = foreign(&twice);
        let target = folder.path().join("none");
        let error = pull(&blobs, &document, &target, &options(Form::Original)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        assert!(error.to_string().contains("`name`"), "{error}");
        assert!(!target.exists());
    }
}

/// Security row A37: what cannot be pulled as a file is named, not left out.
#[tokio::test(flavor = "multi_thread")]
async fn layers_that_are_no_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (media_type, title, reason) in [
        (
            "application/vnd.cncf.model.weight.v1.tar",
            "model",
            "is an archive",
        ),
        (
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "model",
            "is an archive",
        ),
        (
            "application/vnd.kitops.modelkit.model.v1.tar+zstd",
            "model",
            "is an archive",
        ),
        ("application/vnd.ollama.image.model", "", "names no file"),
    ] {
        let (blobs, document) = foreign(&[("text/plain", "ok", b"ok"), (media_type, title, b"x")]);
        let target = folder.path().join("out");
        let error = pull(&blobs, &document, &target, &options(Form::Original)).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let message = error.to_string();
        assert!(
            message.contains(&format!("layers[1] (`{media_type}`) {reason}")),
            "{message}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// Security row A25: content comes from the store that was asked, whatever `urls` says.
#[tokio::test(flavor = "multi_thread")]
async fn urls_of_foreign_layers_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, plain) = foreign(&[("text/plain", "file", b"content")]);
    let text = String::from_utf8(plain.raw().to_vec()).unwrap();
    let with_urls = text.replace(r#""size":7"#, r#""size":7,"urls":["http://127.0.0.1:1/x"]"#);
    assert_ne!(text, with_urls);
    let document = Document::parse(with_urls.into_bytes(), None).unwrap();
    let target = folder.path().join("out");
    pull(&blobs, &document, &target, &options(Form::Original))
        .await
        .unwrap();
    assert_eq!(fs::read(target.join("file")).unwrap(), b"content");
}

/// An artifact that says it is ours has to have a model manifest.
#[tokio::test(flavor = "multi_thread")]
async fn model_without_a_model_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (blobs, foreign) = foreign(&[("text/plain", "file", b"content")]);
    let layers = foreign.manifest().unwrap().layers.clone();
    let document = document(media_type::MODEL, layers);
    let target = folder.path().join("out");
    let error = pull(&blobs, &document, &target, &options(Form::Original)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Mismatch);
}
