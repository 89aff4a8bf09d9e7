//! Pulls that die half-way, and targets that cannot be renamed: what is left, and what the next pull
//! makes of it (security rows K1, K2).
//!
//! The pull that dies runs in a process of its own: this test binary, asked for one of the ignored
//! functions below, which take their folder from MODELCTL_TEST_FOLDER.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use modelctl::materialise::{PullOptions, pull};

use crate::support::folder::names;
use crate::support::handmade::{Artifact, Gate, noise, read_tree};

const FOLDER: &str = "MODELCTL_TEST_FOLDER";
/// Longer than any pull here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder, where the function was asked for by a test. Whoever runs all ignored tests runs these
/// functions, too: then they have nothing to do.
fn given_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn this_binary(function: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--ignored", &format!("pull::killed::{function}")])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Waits for something that a child does.
fn wait_for(mut child: Child, done: impl Fn() -> bool) -> Child {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "nothing happened");
        assert!(child.try_wait().unwrap().is_none(), "the child has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is run by killed_pull_leaves_a_temporary_folder_that_the_next_one_goes_on_with"]
async fn pulls_half_of_it_and_waits() {
    let Some(root) = given_folder() else {
        return;
    };
    let (blobs, document) = Artifact::split_model().finish();
    let gate = Gate::new(blobs);
    let target = root.join("out");
    let options = PullOptions::default();
    let waiting = async {
        gate.halfway(4).await;
        fs::write(root.join("halfway"), "").unwrap();
        tokio::time::sleep(PATIENCE).await;
        gate.open();
    };
    let _ = tokio::join!(pull(&gate, &document, &target, &options), waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_pull_leaves_a_temporary_folder_that_the_next_one_goes_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let target = root.join("out");
    let child = this_binary("pulls_half_of_it_and_waits", root)
        .spawn()
        .unwrap();
    let mut child = wait_for(child, || root.join("halfway").exists());
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    fs::remove_file(root.join("halfway")).unwrap();

    // Nothing under a final name.
    let left = names(root);
    assert_eq!(left.len(), 1);
    assert!(left[0].starts_with(".modelctl-tmp-"), "{left:?}");

    let artifact = Artifact::split_model();
    let (blobs, document) = artifact.finish();
    let options = PullOptions::default();
    // A pull of another target leaves it alone.
    pull(&blobs, &document, &root.join("other"), &options)
        .await
        .unwrap();
    assert!(root.join(&left[0]).exists());
    let report = pull(&blobs, &document, &target, &options).await.unwrap();
    assert!(report.resumed > 500_000, "{report:?}");
    let left = names(root);
    assert_eq!(left, ["other", "out"]);
    assert_eq!(read_tree(&target).len(), artifact.files.len() + 2);
}

/// Many pulls, killed at any time: the target holds all of one model, or of none.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a minute"]
async fn pulls_killed_at_any_time_leave_a_whole_model_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let target = root.join("out");
    let delays = noise(42, 100);
    let mut whole = 0;
    for delay in delays {
        let mut child = this_binary("pulls_again_and_again", root).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(u64::from(delay) * 2000));
        child.kill().unwrap();
        child.wait().unwrap();
        if target.exists() {
            let report = modelctl::verify::directory(&target).unwrap();
            assert!(report.directory.is_some(), "{:?}", report.findings);
            whole += 1;
        }
    }
    assert!(whole > 0, "no pull has come to its end");
    let (blobs, document) = Artifact::split_model().finish();
    let options = PullOptions::default();
    pull(&blobs, &document, &target, &options).await.unwrap();
    assert_eq!(names(root), ["out"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is run by pulls_killed_at_any_time_leave_a_whole_model_or_none"]
async fn pulls_again_and_again() {
    let Some(root) = given_folder() else {
        return;
    };
    let target = root.join("out");
    let first = Artifact::split_model();
    let mut second = first.clone();
    second.model.tests[0].rtol = 0.5;
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        // Never what is in place already.
        let there = fs::read(target.join(".modelctl/manifest.json")).unwrap_or_default();
        let artifact = match there == first.model.to_bytes() {
            true => &second,
            false => &first,
        };
        let (blobs, document) = artifact.finish();
        let options = PullOptions::default();
        pull(&blobs, &document, &target, &options).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "is run by the tests of targets that are filled from inside"]
async fn pulls_into_a_folder_that_stays() {
    let Some(target) = given_folder() else {
        return;
    };
    let first = Artifact::split_model();
    let mut second = first.clone();
    second.model.tests[0].rtol = 0.5;
    let options = PullOptions::default();
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
    let before = inode(&target);
    for artifact in [&first, &second, &second] {
        let (blobs, document) = artifact.finish();
        let report = pull(&blobs, &document, &target, &options).await.unwrap();
        assert!(report.directory.is_some());
        assert_eq!(inode(&target), before, "the folder was replaced");
        assert_eq!(read_tree(&target).len(), artifact.files.len() + 2);
    }
    // A pull that fails changes nothing.
    let (mut missing, document) = first.finish();
    missing.0.remove(&first.model.layers[1].digest);
    pull(&missing, &document, &target, &options)
        .await
        .unwrap_err();
    assert!(
        modelctl::verify::directory(&target)
            .unwrap()
            .directory
            .is_some()
    );
}

/// Runs a function in namespaces of its own, where a line of shell starts it as `"$@"`.
fn in_namespace(script: &str, target: &Path, function: &str) {
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", &format!("pull::killed::{function}")])
        .env(FOLDER, target)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "needs unshare(1) and user namespaces"]
fn target_that_is_a_mount_point_is_filled_from_inside() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let disk = folder.path().join("disk");
    fs::create_dir(&target).unwrap();
    fs::create_dir_all(disk.join("lost+found")).unwrap();
    let function = "pulls_into_a_folder_that_stays";
    // A file system of its own, then a folder of the same one.
    let tmpfs = format!("mount -t tmpfs tmpfs '{}'; \"$@\"", target.display());
    in_namespace(&tmpfs, &target, function);
    let bind = format!(
        "mount --bind '{}' '{}'; \"$@\"",
        disk.display(),
        target.display()
    );
    in_namespace(&bind, &target, function);
    // Below the mount nothing was written; the disk holds the model.
    assert_eq!(read_tree(&target).len(), 0);
    assert!(disk.join(".modelctl/manifest.json").is_file());
    assert!(disk.join("lost+found").is_dir());
}

#[test]
#[ignore = "needs unshare(1), setpriv(1) and user namespaces"]
fn target_whose_parent_may_not_be_written_is_filled_from_inside() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("parent/out");
    fs::create_dir_all(&target).unwrap();
    let parent = target.parent().unwrap();
    fs::set_permissions(parent, fs::Permissions::from_mode(0o555)).unwrap();
    // Without this capability, modes hold for root, too.
    let script = "setpriv --bounding-set=-dac_override \"$@\"";
    in_namespace(script, &target, "pulls_into_a_folder_that_stays");
    assert_eq!(names(parent), ["out"]);
    fs::set_permissions(parent, fs::Permissions::from_mode(0o755)).unwrap();
}
