//! Layouts and archives as other programs see them, and the order in which the kernel does.

use std::path::Path;
use std::process::{Command, Output};

use modelctl::oci::Descriptor;
use modelctl::store::{Archive, Graph, Layout};
use tempfile::TempDir;

use crate::support::parts::Parts;

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    output
}

fn layout(folder: &Path, parts: &Parts, name: &str) -> Layout {
    let layout = Layout::open_or_create(folder).unwrap();
    parts.put(&layout);
    layout.tag_as(&parts.root(), name).unwrap();
    layout
}

#[tokio::test]
#[ignore = "needs skopeo"]
async fn skopeo_reads_ours_and_we_read_skopeos() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let parts = Parts::new(&[b"weights", &[5; 70_000]]);
    layout(&folder.path().join("ours"), &parts, "demo/mlp:v1");
    let ours = format!("oci:{}:demo/mlp:v1", at("ours"));
    let raw = run("skopeo", &["inspect", "--raw", &ours]).stdout;
    assert_eq!(raw, parts.document().raw());

    run(
        "skopeo",
        &["copy", &ours, &format!("oci:{}:v1", at("theirs"))],
    );
    let theirs = Layout::open(Path::new(&at("theirs"))).unwrap();
    assert_eq!(
        theirs.resolve_name("v1").unwrap().digest,
        parts.root().digest
    );

    run(
        "skopeo",
        &[
            "copy",
            &ours,
            &format!("oci-archive:{}:v1", at("theirs.tar")),
        ],
    );
    let theirs = Archive::open(Path::new(&at("theirs.tar"))).unwrap();
    assert_eq!(
        theirs.resolve_name("v1").unwrap().digest,
        parts.root().digest
    );
    let graph = Graph::walk(&theirs, &parts.document()).await.unwrap();

    Archive::write(
        Path::new(&at("ours.tar")),
        &theirs,
        &graph,
        &[(graph.root().descriptor.digest, "v1".to_owned())],
    )
    .await
    .unwrap();
    let archive = format!("oci-archive:{}:v1", at("ours.tar"));
    let raw = run("skopeo", &["inspect", "--raw", &archive]).stdout;
    assert_eq!(raw, parts.document().raw());
    run(
        "skopeo",
        &["copy", &archive, &format!("oci:{}:v1", at("back"))],
    );
}

/// Security row K4: fsync of the file, rename, fsync of the folder, for blobs and for the index.
#[test]
#[ignore = "needs strace"]
fn nothing_is_renamed_before_it_is_on_disk() {
    const ROOT: &str = "MODELCTL_TEST_STRACED";
    let parts = Parts::new(&[b"weights"]);
    if let Ok(root) = std::env::var(ROOT) {
        layout(root.as_ref(), &parts, "v1");
        return;
    }
    let folder = TempDir::new().unwrap();
    let (root, log) = (folder.path().join("store"), folder.path().join("log"));
    let this = std::env::current_exe().unwrap();
    let test = "store::programs::nothing_is_renamed_before_it_is_on_disk";
    let traced = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-e",
            "trace=fsync,rename,renameat,renameat2",
            "-o",
        ])
        .arg(&log)
        .arg(this)
        .args(["--exact", test, "--include-ignored", "--quiet"])
        .env(ROOT, &root)
        .output()
        .unwrap();
    assert!(traced.status.success());
    let log = std::fs::read_to_string(log).unwrap();
    let store = root.display().to_string();
    let calls: Vec<&str> = log.lines().filter(|line| line.contains(&store)).collect();
    let renames = |name: &str| {
        let at = calls.iter().enumerate();
        let found = at.filter(|(_, call)| call.contains("rename") && call.contains(name));
        found.map(|(at, _)| at).collect::<Vec<_>>()
    };
    let mut names: Vec<String> = parts.0.iter().map(|(blob, _)| blob.digest.hex()).collect();
    names.extend(["index.json".to_owned(), "oci-layout".to_owned()]);
    for name in names {
        let at = renames(&name);
        assert!(!at.is_empty(), "{name} was not renamed:\n{log}");
        for at in at {
            let temporary = calls[at].split('"').nth(1).unwrap();
            let (before, after) = (calls[at - 1], calls[at + 1]);
            assert!(
                before.contains("fsync") && before.contains(temporary),
                "{before}"
            );
            assert!(
                after.contains("fsync") && !after.contains("ingest"),
                "{after}"
            );
        }
    }
}

/// A store never shares a file with what it was filled from or what was copied out of it.
#[tokio::test]
async fn copies_between_layouts_are_no_hard_links() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = TempDir::new().unwrap();
    let parts = Parts::new(&[b"weights"]);
    let source = layout(&folder.path().join("a"), &parts, "v1");
    let sink = Layout::open_or_create(&folder.path().join("b")).unwrap();
    let options = modelctl::transfer::CopyOptions::default();
    let copied = modelctl::transfer::copy(&source, &sink, &parts.document(), &options).await;
    copied.unwrap();
    let inode = |layout: &Layout, blob: &Descriptor| {
        let metadata = std::fs::metadata(layout.blob_path(&blob.digest)).unwrap();
        assert_eq!(metadata.nlink(), 1);
        metadata.ino()
    };
    for (blob, _) in &parts.0 {
        assert_ne!(inode(&source, blob), inode(&sink, blob));
    }
}

/// A file system that shares extents is used as one, and what was cloned is verified like all else.
#[tokio::test]
#[ignore = "needs a folder on xfs or btrfs in MODELCTL_TEST_REFLINK"]
async fn copies_share_extents_where_the_file_system_can() {
    let place = std::env::var("MODELCTL_TEST_REFLINK").unwrap();
    let folder = TempDir::new_in(&place).unwrap();
    let parts = Parts::new(&[&[7; 8 << 20]]);
    let source = layout(&folder.path().join("a"), &parts, "v1");
    let sink = Layout::open_or_create(&folder.path().join("b")).unwrap();
    let used = || {
        let output = run("df", &["--output=used", &place]).stdout;
        let text = String::from_utf8(output).unwrap();
        text.lines().nth(1).unwrap().trim().parse::<u64>().unwrap()
    };
    let before = used();
    let options = modelctl::transfer::CopyOptions::default();
    let root = parts.document();
    modelctl::transfer::copy(&source, &sink, &root, &options)
        .await
        .unwrap();
    assert!(used() - before < 4 << 10, "the weights were written again");

    let layer = &parts.0[0].0;
    let (from, to) = (
        source.blob_path(&layer.digest),
        sink.blob_path(&layer.digest),
    );
    std::fs::remove_file(&to).unwrap();
    std::fs::remove_file(&from).unwrap();
    std::fs::write(&from, vec![8; 8 << 20]).unwrap();
    let copied = modelctl::transfer::copy(&source, &sink, &root, &options).await;
    let error = copied.unwrap_err();
    assert_eq!(error.kind(), modelctl::ErrorKind::Mismatch);
    assert!(error.to_string().ends_with("the source failed"), "{error}");
    assert!(!to.exists());
}
