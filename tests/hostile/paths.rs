//! Names that try to leave the folder, and links that try to lead a pull elsewhere (security rows
//! A04–A06, A10, A16).

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use modelctl::materialise::{PullOptions, pull};
use modelctl::model::Role;
use modelctl::oci::{Descriptor, annotation, media_type};
use modelctl::{Error, ErrorKind};

use crate::support::handmade::{Artifact, Blobs, Gate, document, read_tree};

/// An artifact of another tool with these titles and file paths.
fn foreign(names: &[(Option<&str>, Option<&str>)]) -> (Blobs, modelctl::oci::Document) {
    let mut blobs = Artifact::empty().blobs;
    let layers = names.iter().enumerate().map(|(index, (title, filepath))| {
        let bytes = format!("content {index}").into_bytes();
        let mut layer = Descriptor::of("application/vnd.cncf.model.weight.v1.raw", &bytes);
        for (key, name) in [(annotation::TITLE, title), (annotation::FILEPATH, filepath)] {
            if let Some(name) = name {
                layer.annotations.insert(key.to_owned(), (*name).to_owned());
            }
        }
        blobs.0.insert(layer.digest, bytes);
        layer
    });
    let layers = layers.collect();
    (blobs, document(media_type::MODELPACK, layers))
}

async fn refused(source: &(Blobs, modelctl::oci::Document), root: &Path) -> Error {
    let target = root.join("deep/out");
    let result = pull(&source.0, &source.1, &target, &PullOptions::default()).await;
    let error = result.expect_err("it was accepted");
    assert_eq!(read_tree(root).len(), 0, "something was written");
    error
}

/// Security row A04, through the titles of artifacts without a model manifest.
#[tokio::test(flavor = "multi_thread")]
async fn unsafe_titles_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    let unsafe_names = [
        "../x",
        "/abs",
        "a/../../x",
        "C:\\x",
        "a\\..\\..\\x",
        ".",
        "",
        "x\0y",
        "x/",
        "a//b",
        "..",
        long.as_str(),
    ];
    for name in unsafe_names {
        for names in [
            (Some(name), None),
            (None, Some(name)),
            (Some(name), Some(name)),
        ] {
            let source = foreign(&[(Some("ok"), None), names]);
            let error = refused(&source, folder.path()).await;
            assert_eq!(error.kind(), ErrorKind::Mismatch);
            let message = error.to_string();
            assert!(
                message.starts_with("layers[1]: unsafe file name"),
                "{message}"
            );
        }
    }
}

/// Security row A04.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_hide_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for [first, second] in [
        ["A.onnx", "a.onnx"],
        ["ü", "u\u{308}"],
        ["same", "same"],
        ["a", "a/b"],
        ["ok", ".modelctl/manifest.json"],
        ["ok", ".MODELCTL/manifest.json"],
    ] {
        let source = foreign(&[(Some(first), None), (Some(second), None)]);
        let error = refused(&source, folder.path()).await;
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{first} and {second}");
    }
    let source = foreign(&[(Some("a"), Some("b"))]);
    let message = refused(&source, folder.path()).await.to_string();
    assert_eq!(message, r#"layers[0] is called "a" and "b""#);
}

/// Security row A04: what other tools would write must be what the model manifest says.
#[tokio::test(flavor = "multi_thread")]
async fn title_that_differs_from_the_model_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let length = Artifact::split_model().layers.len();
    for key in [annotation::TITLE, annotation::FILEPATH] {
        for layer in 0..length {
            let mut artifact = Artifact::split_model();
            let annotations = &mut artifact.layers[layer].annotations;
            annotations.insert(key.to_owned(), "../../evil".to_owned());
            let error = refused(&artifact.finish(), folder.path()).await;
            assert_eq!(error.kind(), ErrorKind::Mismatch);
            assert!(error.to_string().contains("../../evil"), "{error}");
        }
    }
}

/// Security row A05.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_models_and_versions_are_no_paths() {
    for name in [".", "..", "a/..", "-rf", "~", "con", "/etc"] {
        let folder = tempfile::tempdir().unwrap();
        let mut artifact = Artifact::split_model();
        artifact.model.name = Some(name.to_owned());
        artifact.model.version = Some(name.to_owned());
        let (blobs, document) = artifact.finish();
        let target = folder.path().join("out");
        let options = PullOptions::default();
        pull(&blobs, &document, &target, &options).await.unwrap();
        let written = read_tree(folder.path());
        assert!(written.keys().all(|path| path.starts_with("out/")));
        assert_eq!(written.len(), artifact.files.len() + 2);
    }
}

/// Security row A06: dots inside a name are not a traversal.
#[tokio::test(flavor = "multi_thread")]
async fn odd_but_safe_names_are_written_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let mut artifact = Artifact::empty();
    for name in [
        "weights..v2.bin",
        "..weights",
        "a...b",
        "-rf",
        "~",
        "a b/ü",
        "lost+found",
    ] {
        let bytes = format!("content of {name}");
        let layer = artifact.layer(media_type::LAYER_FILE, name, bytes.as_bytes());
        artifact.file(name, Role::Other, &[(layer, 0, bytes.len() as u64)]);
    }
    let (blobs, document) = artifact.finish();
    let target = folder.path().join("out");
    let options = PullOptions::default();
    pull(&blobs, &document, &target, &options).await.unwrap();
    let mut written = read_tree(&target);
    written.remove(".modelctl/manifest.json");
    assert_eq!(written, artifact.files);
}

/// Security row A10, case 5.
#[tokio::test(flavor = "multi_thread")]
async fn target_that_is_a_link_is_refused_even_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let target = folder.path().join("out");
    symlink(&elsewhere, &target).unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    for force in [false, true] {
        let options = PullOptions {
            force,
            ..PullOptions::default()
        };
        for target in [
            target.clone(),
            PathBuf::from(format!("{}/", target.display())),
        ] {
            let error = pull(&blobs, &document, &target, &options)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains("symbolic link"), "{error}");
        }
    }
    assert_eq!(read_tree(&elsewhere).len(), 0);
    assert!(target.symlink_metadata().unwrap().is_symlink());
}

/// The user's own link on the way to the target is the user's business.
#[tokio::test(flavor = "multi_thread")]
async fn link_above_the_target_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    symlink("real", folder.path().join("link")).unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    let target = folder.path().join("link/out");
    let options = PullOptions::default();
    pull(&blobs, &document, &target, &options).await.unwrap();
    assert!(
        folder
            .path()
            .join("real/out/.modelctl/manifest.json")
            .is_file()
    );
}

/// Security row A10, case 4: a link that waits inside the target is replaced, never written through.
#[tokio::test(flavor = "multi_thread")]
async fn link_inside_the_target_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("labels.txt"), "mine").unwrap();
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    symlink(&elsewhere, target.join("sub folder")).unwrap();
    symlink(elsewhere.join("labels.txt"), target.join("run.sh")).unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    let options = PullOptions {
        force: true,
        ..PullOptions::default()
    };
    pull(&blobs, &document, &target, &options).await.unwrap();
    assert_eq!(read_tree(&elsewhere).len(), 1);
    assert_eq!(fs::read(elsewhere.join("labels.txt")).unwrap(), b"mine");
    assert!(
        target
            .join("sub folder")
            .symlink_metadata()
            .unwrap()
            .is_dir()
    );
}

/// The temporary folder of the pull that is under way.
fn temporary(root: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(root).unwrap().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().contains("/.modelctl-tmp-"))
}

/// Security row A16.
#[tokio::test(flavor = "multi_thread")]
async fn folder_swapped_for_a_link_in_the_middle_stops_the_pull() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("labels.txt"), "mine").unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    let gate = Gate::new(blobs);
    let target = folder.path().join("out");
    let options = PullOptions::default();
    let attack = async {
        gate.halfway(4).await;
        let sub = temporary(folder.path()).unwrap().join("new/sub folder");
        fs::rename(&sub, sub.with_file_name("moved")).unwrap();
        symlink(outside.path(), &sub).unwrap();
        gate.open();
    };
    let (pulled, ()) = tokio::join!(pull(&gate, &document, &target, &options), attack);
    assert_eq!(pulled.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(
        fs::read(outside.path().join("labels.txt")).unwrap(),
        b"mine"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Security row A16, without knowing when.
#[tokio::test(flavor = "multi_thread")]
async fn folder_swapped_at_any_time_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let (blobs, document) = Artifact::split_model().finish();
    let stop = AtomicBool::new(false);
    let swap = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(temporary) = temporary(folder.path()) else {
                std::thread::yield_now();
                continue;
            };
            let sub = temporary.join("new/sub folder");
            // Each may fail: the folder comes and goes.
            let _ = fs::rename(&sub, sub.with_file_name("moved"));
            let _ = symlink(outside.path(), &sub);
            let _ = fs::remove_file(&sub);
            let _ = fs::rename(sub.with_file_name("moved"), &sub);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(swap);
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            for number in 0..20 {
                let target = folder.path().join(format!("out{number}"));
                // It may succeed or fail.
                let _ = runtime.block_on(pull(&blobs, &document, &target, &PullOptions::default()));
            }
        });
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
