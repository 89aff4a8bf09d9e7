//! `gc` removes what no entry leads to, and nothing that someone is about to lead to.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use modelctl::Error;
use modelctl::oci::{Descriptor, Digest, media_type};
use modelctl::store::{Layout, StoreError};
use tempfile::TempDir;

use crate::support::parts::{Parts, index};

fn layout() -> (TempDir, Layout) {
    let folder = TempDir::new().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("store")).unwrap();
    (folder, layout)
}

fn digests(layout: &Layout) -> Vec<Digest> {
    let blobs = layout.blobs().unwrap();
    blobs.into_iter().map(|(digest, _)| digest).collect()
}

fn all_of(parts: &[&Parts]) -> Vec<Digest> {
    let parts = parts.iter().flat_map(|parts| &parts.0);
    let mut digests: Vec<Digest> = parts.map(|(descriptor, _)| descriptor.digest).collect();
    digests.sort();
    digests.dedup();
    digests
}

#[test]
fn gc_keeps_what_is_named_and_what_refers_to_it() {
    let (_folder, layout) = layout();
    let kept = Parts::new(&[b"shared", b"kept"]);
    let signature = Parts::with_subject(&[b"signature"], Some(kept.root()));
    let counter = Parts::with_subject(&[b"counter-signature"], Some(signature.root()));
    let dropped = Parts::new(&[b"shared", b"dropped"]);
    let orphan = Parts::with_subject(&[b"orphan"], Some(dropped.root()));
    for parts in [&counter, &kept, &signature, &dropped, &orphan] {
        parts.put(&layout);
    }
    layout.tag_as(&kept.root(), "kept").unwrap();
    layout.tag_as(&dropped.root(), "dropped").unwrap();
    assert_eq!(layout.gc_plan().unwrap(), Default::default());
    layout.untag("dropped").unwrap();
    let leftover = layout.root().join("ingest/.tmpAbC");
    fs::write(&leftover, "half a blob").unwrap();
    fs::write(layout.root().join("blobs/sha256/notes.txt"), "").unwrap();

    let plan = layout.gc_plan().unwrap();
    assert_eq!(plan.referrers, [orphan.root().digest]);
    assert_eq!(plan.leftovers, std::slice::from_ref(&leftover));
    assert_eq!(plan.blobs.len(), 4);
    assert_eq!(layout.gc().unwrap(), plan);
    assert_eq!(digests(&layout), all_of(&[&kept, &signature, &counter]));
    assert!(!leftover.exists());
    assert!(layout.root().join("blobs/sha256/notes.txt").exists());
    assert_eq!(layout.entries().unwrap().len(), 3);
    assert_eq!(layout.gc().unwrap(), Default::default());
}

#[test]
fn gc_follows_an_index_and_tolerates_a_sparse_one() {
    let (_folder, layout) = layout();
    let (here, elsewhere) = (Parts::new(&[b"here"]), Parts::new(&[b"elsewhere"]));
    here.put(&layout);
    let index = index(&[&here, &elsewhere]);
    let root = index.descriptor();
    layout.put_blob(&root, &mut index.raw()).unwrap();
    layout.tag_as(&root, "all").unwrap();
    assert_eq!(layout.gc().unwrap(), Default::default());
}

#[test]
fn gc_removes_nothing_while_a_manifest_is_broken() {
    let (_folder, layout) = layout();
    let (broken, garbage) = (Parts::new(&[b"broken"]), Parts::new(&[b"garbage"]));
    broken.put(&layout);
    garbage.put(&layout);
    layout.tag_as(&broken.root(), "broken").unwrap();
    let path = layout.blob_path(&broken.root().digest);
    fs::remove_file(&path).unwrap();
    fs::write(&path, vec![b'x'; broken.root().size as usize]).unwrap();
    let before = digests(&layout);
    let error = layout.gc().unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&broken.root().digest.to_string())
    );
    assert_eq!(digests(&layout), before);
}

/// Security row K5: what a running pull has added is not garbage.
#[test]
fn gc_waits_for_whoever_is_adding() {
    let (_folder, layout) = layout();
    let parts = Parts::new(&[b"1", b"2"]);
    let hold = layout.hold().unwrap();
    parts.put(&layout);
    let error = layout.gc().unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Busy { .. })));
    layout.tag_as(&parts.root(), "v1").unwrap();
    drop(hold);
    layout.gc().unwrap();
    assert_eq!(digests(&layout), all_of(&[&parts]));
}

/// Security row K5, with threads: each has locks of its own, as a process would.
#[test]
fn eight_threads_add_tag_and_collect_without_loss() {
    let (_folder, layout) = layout();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                scope.spawn({
                    let layout = &layout;
                    move || write(layout, writer)
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                match layout.gc() {
                    Ok(_) | Err(Error::Store(StoreError::Busy { .. })) => {}
                    Err(error) => panic!("{error}"),
                }
                thread::yield_now();
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_all_there(&layout, 8);
}

const ROUNDS: usize = 6;

/// One of several processes: adds artifacts that share a layer with those of the others.
fn write(layout: &Layout, writer: usize) {
    for round in 0..ROUNDS {
        let parts = artifact(writer, round);
        let _hold = layout.hold().unwrap();
        parts.put(layout);
        layout.tag_as(&parts.root(), &name(writer, round)).unwrap();
        layout.tag_as(&parts.root(), "last").unwrap();
    }
    layout.untag(&name(writer, 0)).unwrap();
}

fn artifact(writer: usize, round: usize) -> Parts {
    let own = format!("{writer} {round}");
    let shared = format!("shared by round {round}");
    Parts::new(&[own.as_bytes(), shared.as_bytes()])
}

fn name(writer: usize, round: usize) -> String {
    format!("demo/w{writer}:r{round}")
}

fn assert_all_there(layout: &Layout, writers: usize) {
    assert_eq!(layout.entries().unwrap().len(), writers * (ROUNDS - 1) + 1);
    layout.resolve_name("last").unwrap();
    for writer in 0..writers {
        assert!(layout.resolve_name(&name(writer, 0)).is_err());
        for round in 1..ROUNDS {
            let found = layout.resolve_name(&name(writer, round)).unwrap();
            assert_eq!(found.digest, artifact(writer, round).root().digest);
        }
    }
    let report = Layout::repair(layout.root()).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

/// Tells a copy of this test program what it is to do.
const WRITER: &str = "MODELCTL_TEST_WRITER";

/// Security row K5, with processes.
#[test]
fn eight_processes_add_tag_and_collect_without_loss() {
    if let Ok(task) = std::env::var(WRITER) {
        let (writer, root) = task.split_once(' ').unwrap();
        let layout = Layout::open_or_create(root.as_ref()).unwrap();
        write(&layout, writer.parse().unwrap());
        return;
    }
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("store");
    let test = "store::gc::eight_processes_add_tag_and_collect_without_loss";
    let spawn = |writer: usize| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--quiet"]);
        command.env(WRITER, format!("{writer} {}", root.display()));
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let mut writers: Vec<_> = (0..8).map(spawn).collect();
    let layout = Layout::open_or_create(&root).unwrap();
    while !writers
        .iter_mut()
        .all(|it| it.try_wait().unwrap().is_some())
    {
        match layout.gc() {
            Ok(_) | Err(Error::Store(StoreError::Busy { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
    assert_all_there(&layout, 8);
}

/// A lock is the kernel's: it does not outlive its owner.
#[test]
fn lock_of_a_killed_process_is_free() {
    if let Ok(root) = std::env::var(WRITER) {
        let layout = Layout::open(root.as_ref()).unwrap();
        let _hold = layout.hold().unwrap();
        fs::write(layout.root().join("held"), "").unwrap();
        thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let (_folder, layout) = layout();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::gc::lock_of_a_killed_process_is_free",
            "--quiet",
        ])
        .env(WRITER, layout.root())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !layout.root().join("held").exists() {
        thread::yield_now();
    }
    assert!(layout.gc().is_err());
    owner.kill().unwrap();
    owner.wait().unwrap();
    layout.gc().unwrap();
}

#[test]
fn unlisted_manifest_goes_listed_one_stays() {
    let (_folder, layout) = layout();
    let (listed, unlisted) = (Parts::new(&[b"listed"]), Parts::new(&[b"unlisted"]));
    listed.put(&layout);
    unlisted.put(&layout);
    layout.list(&listed.root()).unwrap();
    layout.gc().unwrap();
    assert_eq!(digests(&layout), all_of(&[&listed]));
    assert_eq!(layout.unlist(&listed.root().digest).unwrap(), 1);
    layout.gc().unwrap();
    assert!(digests(&layout).is_empty());
    let absent = Descriptor::of(media_type::MANIFEST, b"{}");
    assert!(layout.list(&absent).is_err());
}
