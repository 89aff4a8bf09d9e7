use std::collections::BTreeMap;
use std::io::Write as _;

use super::*;
use crate::oci::{Descriptor, Digest, media_type};

const MARK: &[u8] = br#"{"schemaVersion":1,"format":"other","layers":[],"files":[]}"#;

/// A pull of files each of which holds its own path, from inside the target.
fn order(root: &Path, files: &[&str], force: bool) -> Order {
    let files = files.iter().map(|path| PlannedFile {
        path: path.parse().unwrap(),
        size: path.len() as u64,
        digest: Digest::sha256(path.as_bytes()),
        executable: false,
    });
    let plan = PullPlan {
        files: files.collect(),
        blobs: vec![],
        size: 0,
        mark: Some(Descriptor::of(media_type::LAYER_MANIFEST, MARK)),
    };
    Order {
        artifact: Digest::sha256(b"artifact"),
        plan: Arc::new(plan),
        mark: Some(MARK.into()),
        target: root.to_owned(),
        force,
    }
}

fn begin(order: &Order) -> Result<Option<Job>, MaterialiseError> {
    let place = Place::Inside(order.target.clone());
    let stage = Stage::take(&place, &order.target)?.expect("nobody else is here");
    Job::prepare(order.clone(), place, stage)
}

fn pull_inside(root: &Path, files: &[&str], force: bool) -> Result<(), MaterialiseError> {
    let order = order(root, files, force);
    let Some(job) = begin(&order)? else {
        return Ok(());
    };
    for file in &order.plan.files {
        let mut opened = job.work.tree.open(&file.path)?;
        opened.write_all(file.path.as_str().as_bytes()).unwrap();
    }
    job.finish()
}

fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = crate::model::folder::walk(root).unwrap();
    let files = entries.into_iter().filter(|entry| entry.is_file());
    files
        .map(|entry| {
            let content = fs::read(root.join(&entry.path)).unwrap();
            (entry.path, content)
        })
        .collect()
}

fn paths(root: &Path) -> Vec<String> {
    let paths = tree(root).into_keys();
    paths
        .map(|path| path.to_str().unwrap().to_owned())
        .collect()
}

fn write(path: PathBuf) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "before").unwrap();
}

#[test]
fn content_is_exchanged_inside_a_folder_that_cannot_be_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root.join("lost+found/1"));
    pull_inside(root, &["a/b", "c"], false).unwrap();
    assert_eq!(tree(root).len(), 4);
    write(root.join("mine"));
    let refused = pull_inside(root, &["a/d"], false);
    assert!(matches!(refused, Err(MaterialiseError::Occupied { .. })));
    pull_inside(root, &["a/d"], true).unwrap();
    let expected = [".modelctl/manifest.json", "a/d", "lost+found/1"];
    assert_eq!(paths(root), expected);
}

#[test]
fn exchange_that_fails_half_way_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["lost+found/1", "a/b", ".modelctl/x"] {
        write(root.join(path));
    }
    let before = tree(root);
    // A folder cannot be renamed over one that is not empty, and that one is not ours to move.
    let failed = pull_inside(root, &["a/new", "lost+found/2"], true);
    assert!(matches!(failed, Err(MaterialiseError::Io { .. })));
    assert_eq!(tree(root), before);
}

/// The process dies after any number of the renames that put a pull into place: the next one finds
/// the target as it was before.
#[test]
fn exchange_that_was_killed_after_any_step_is_taken_back() {
    for steps in 0..=6 {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let old = [".modelctl/manifest.json", "a/old", "b"];
        for path in old {
            write(root.join(path));
        }
        let order = order(root, &["a/new", "c"], true);
        let job = begin(&order).unwrap().unwrap();
        for file in &order.plan.files {
            let mut opened = job.work.tree.open(&file.path).unwrap();
            opened.write_all(file.path.as_str().as_bytes()).unwrap();
        }
        let stage = job.work.stage.path().to_owned();
        let names = ["a", "c"].map(std::ffi::OsString::from);
        super::super::recover::announce(&stage, &names).unwrap();
        fs::create_dir(stage.join("old")).unwrap();
        let mut moves = vec![];
        for name in [".modelctl", "a", "b"] {
            moves.push((root.join(name), stage.join("old").join(name)));
        }
        moves.push((stage.join("old"), stage.join("replaced")));
        for name in ["a", "c"] {
            moves.push((stage.join("new").join(name), root.join(name)));
        }
        for (from, to) in &moves[..steps] {
            fs::rename(from, to).unwrap();
        }
        // As if it were dead: the lock is gone, the folder stays.
        job.work.stage.need();
        drop(job);
        let place = Place::Inside(root.to_owned());
        let taken = Stage::take(&place, root).unwrap().unwrap();
        recover(&taken, &place, root).unwrap();
        let mut left = paths(root);
        left.retain(|path| !path.starts_with(".modelctl-tmp"));
        if steps == 6 {
            // All of it had come: nothing is to be taken back.
            assert_eq!(left, ["a/new", "c"]);
        } else {
            assert_eq!(left, old, "{steps} steps");
            assert!(stage.join("new/a/new").exists() && stage.join("new/c").exists());
        }
        assert!(!stage.join("old").exists() && !stage.join("replaced").exists());
    }
}

/// Nothing is moved over what somebody has put there since.
#[test]
fn what_is_in_the_way_of_taking_back_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let order = order(root, &["c"], false);
    let job = begin(&order).unwrap().unwrap();
    write(job.work.stage.path().join("old/b"));
    write(root.join("b"));
    job.work.stage.need();
    drop(job);
    let error = begin(&order).err().unwrap();
    assert_eq!(error.kind(), crate::ErrorKind::Usage);
    assert!(error.to_string().contains("b` is in the way of"), "{error}");
    fs::remove_file(root.join("b")).unwrap();
    let error = begin(&order).err().unwrap();
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(fs::read(root.join("b")).unwrap(), b"before");
}

/// What is in place is found out by its content, not by its names.
#[test]
fn folder_that_holds_the_same_is_left_as_it_is() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let files = ["a/b", "c"];
    pull_inside(root, &files, false).unwrap();
    let inode = || fs::metadata(root.join("c")).unwrap().ino();
    let before = inode();
    pull_inside(root, &files, false).unwrap();
    assert_eq!(inode(), before);
    let spoil: [fn(&Path); 5] = [
        |root| fs::write(root.join("c"), "d").unwrap(),
        |root| fs::write(root.join("c"), "cc").unwrap(),
        |root| fs::set_permissions(root.join("c"), fs::Permissions::from_mode(0o600)).unwrap(),
        |root| fs::create_dir(root.join("d")).unwrap(),
        |root| fs::write(root.join(".modelctl/manifest.json"), "{}").unwrap(),
    ];
    for spoil in spoil {
        let before = inode();
        spoil(root);
        pull_inside(root, &files, true).unwrap();
        assert_ne!(inode(), before);
        assert_eq!(paths(root), [".modelctl/manifest.json", "a/b", "c"]);
    }
}

/// The files of an interrupted pull are as long as in the end: they need no more space.
#[test]
fn space_that_an_earlier_pull_holds_is_not_needed_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut order = order(root, &["a"], false);
    let plan = Arc::make_mut(&mut order.plan);
    (plan.files[0].size, plan.size) = (1 << 20, 1 << 20);
    let job = begin(&order).unwrap().unwrap();
    let tell = |stage| needed(stage, &order.plan).unwrap();
    assert_eq!(tell(&job.work.stage), (1 << 20, 1 << 20));
    job.work.stage.clear().unwrap();
    assert_eq!(tell(&job.work.stage), (1 << 20, 0));
    assert!(check_space(root, (u64::MAX, u64::MAX)).is_ok());
    let error = check_space(root, (u64::MAX, 0)).unwrap_err();
    assert!(matches!(error, MaterialiseError::Space { .. }));
}

/// The name of the temporary folder can be guessed by whoever may write beside the target.
#[test]
fn temporary_folder_that_is_not_private_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Beside(folder.path().to_owned());
    let target = folder.path().join("out");
    let stage = Stage::take(&place, &target).unwrap().unwrap();
    assert!(stage.is_shared());
    assert!(Stage::take(&place, &target).unwrap().is_none());
    let path = stage.path().to_owned();
    drop(stage);
    let makes: [fn(&Path); 3] = [
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap(),
        |path| {
            fs::remove_dir(path).unwrap();
            std::os::unix::fs::symlink("/", path).unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            fs::write(path, "").unwrap();
        },
    ];
    for make in makes {
        make(&path);
        let other = Stage::take(&place, &target).unwrap().unwrap();
        assert!(!other.is_shared());
        assert_ne!(other.path(), path);
        other.remove();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
