//! A blob that does not come in one piece: the next push goes on with it, whoever that is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use modelctl::oci::{Descriptor, media_type};
use modelctl::store::{GcOptions, Layout, Storage as _, StoreError};
use modelctl::{Error, ErrorKind};
use tempfile::TempDir;

use super::source::Source;
use crate::support::handmade::noise;
use crate::support::parts::Parts;

fn layout() -> (TempDir, Layout) {
    let folder = TempDir::new().unwrap();
    let layout = Layout::open_or_create(&folder.path().join("store")).unwrap();
    (folder, layout)
}

fn blob(size: usize) -> (Descriptor, Vec<u8>) {
    let bytes = noise(size as u64, size);
    (Descriptor::of(media_type::OCTET_STREAM, &bytes), bytes)
}

fn partial_path(layout: &Layout, blob: &Descriptor) -> PathBuf {
    let name = format!("sha256-{}", blob.digest.hex());
    layout.root().join("ingest").join(name)
}

fn ingest(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.root().join("ingest")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the link went down")
}

/// Every length around the buffers of the pipeline, in one piece and continued after every cut.
#[tokio::test]
async fn blob_of_any_length_is_stored_and_continued_after_any_cut() {
    const BUFFER: usize = 256 * 1024;
    for size in [
        1,
        BUFFER - 1,
        BUFFER,
        BUFFER + 1,
        9 * BUFFER,
        70 * BUFFER + 7,
    ] {
        let (_folder, layout) = layout();
        let (descriptor, bytes) = blob(size);
        let mut cuts = vec![0, 1, size / 2, size - 1];
        cuts.retain(|at| *at < size);
        cuts.sort_unstable();
        for at in cuts {
            let broken = Source::breaking(&bytes, at, cut);
            let error = layout.push(&descriptor, &broken).await.unwrap_err();
            assert!(error.to_string().contains("the link went down"), "{error}");
            assert!(!layout.exists(&descriptor).await.unwrap());
            let kept = fs::metadata(partial_path(&layout, &descriptor));
            assert_eq!(kept.map_or(0, |it| it.len()), at as u64, "of {size}");
        }
        let whole = Source::new(&bytes);
        layout.push(&descriptor, &whole).await.unwrap();
        assert_eq!(whole.opened(), [size as u64 - 1]);
        assert!(fs::read(layout.blob_path(&descriptor.digest)).unwrap() == bytes);
        assert_eq!(ingest(&layout), [""; 0]);
    }
}

/// Security row Q34: a corrupt partial blob is found out by the digest of the whole and fetched once
/// more from its beginning.
#[tokio::test]
async fn q34_corrupt_partial_is_fetched_once_more_from_zero() {
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(3_000_000);
    let mut corrupt = bytes[..1_000_000].to_vec();
    corrupt[500_000] ^= 1;
    fs::create_dir_all(layout.root().join("ingest")).unwrap();
    fs::write(partial_path(&layout, &descriptor), &corrupt).unwrap();
    let source = Source::new(&bytes);
    layout.push(&descriptor, &source).await.unwrap();
    assert_eq!(source.opened(), [1_000_000, 0]);
    assert!(fs::read(layout.blob_path(&descriptor.digest)).unwrap() == bytes);
}

/// Security row Q34: where the content itself is wrong, once more is enough, and nothing is left.
#[tokio::test]
async fn q34_wrong_content_is_tried_twice_and_leaves_nothing() {
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(3_000_000);
    let mut wrong = bytes.clone();
    wrong[2_000_000] ^= 1;
    for there in [0, 1_000_000, 3_000_000] {
        fs::create_dir_all(layout.root().join("ingest")).unwrap();
        fs::write(partial_path(&layout, &descriptor), &wrong[..there]).unwrap();
        let source = Source::new(&wrong);
        let error = layout.push(&descriptor, &source).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
        assert_eq!(source.opened(), [there as u64, 0]);
        assert_eq!(ingest(&layout), [""; 0]);
        assert!(!layout.exists(&descriptor).await.unwrap());
    }
}

/// Security row Q32: a partial blob that is longer than the blob is thrown away; one that is the
/// whole blob is verified and needs no byte more.
#[tokio::test]
async fn q32_partial_that_is_too_long_is_thrown_away() {
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(1_000_000);
    fs::create_dir_all(layout.root().join("ingest")).unwrap();
    let longer = [&bytes[..], b"x"].concat();
    for (there, offset) in [(longer, 0), (bytes.clone(), 1_000_000)] {
        fs::write(partial_path(&layout, &descriptor), there).unwrap();
        let source = Source::new(&bytes);
        layout.push(&descriptor, &source).await.unwrap();
        assert_eq!(source.opened(), [offset]);
        assert!(fs::read(layout.blob_path(&descriptor.digest)).unwrap() == bytes);
        fs::remove_file(layout.blob_path(&descriptor.digest)).unwrap();
    }
}

/// Security row K5: of two pushes of one blob, one reads it.
#[tokio::test(flavor = "multi_thread")]
async fn k5_second_push_waits_for_the_first_and_reads_nothing() {
    static GATE: AtomicBool = AtomicBool::new(false);
    let (_folder, layout) = layout();
    let (descriptor, bytes) = blob(2_000_000);
    let first = Source::gated(&bytes, 1_000_000, &GATE);
    let second = Source::new(&bytes);
    let later = async {
        while first.opened().is_empty() {
            tokio::task::yield_now().await;
        }
        let other = Layout::open(layout.root()).unwrap();
        let waiting = other.push(&descriptor, &second);
        let open = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(second.opened(), [0; 0]);
            GATE.store(true, Ordering::SeqCst);
        };
        tokio::join!(waiting, open).0.unwrap();
    };
    let (pushed, ()) = tokio::join!(layout.push(&descriptor, &first), later);
    pushed.unwrap();
    assert_eq!((first.opened(), second.opened()), (vec![0], vec![]));
    assert_eq!(ingest(&layout), [""; 0]);
}

/// Tells a copy of this test program where to push to.
const CHILD: &str = "MODELCTL_TEST_PARTIAL";

/// Security rows K1 and K5: a process that waits takes over where a killed one was.
#[tokio::test(flavor = "multi_thread")]
async fn k5_push_takes_over_from_a_killed_process() {
    static NEVER: AtomicBool = AtomicBool::new(false);
    const HALF: usize = 1024 * 1024;
    let (descriptor, bytes) = blob(2 * HALF);
    if let Ok(root) = std::env::var(CHILD) {
        let layout = Layout::open(Path::new(&root)).unwrap();
        let source = Source::gated(&bytes, HALF, &NEVER);
        layout.push(&descriptor, &source).await.unwrap();
        return;
    }
    let (_folder, layout) = layout();
    let test = "store::partial::k5_push_takes_over_from_a_killed_process";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--quiet"])
        .env(CHILD, layout.root())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let path = partial_path(&layout, &descriptor);
    while fs::metadata(&path).map_or(0, |it| it.len()) < HALF as u64 {
        assert!(child.try_wait().unwrap().is_none(), "the child has ended");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let source = Source::new(&bytes);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(source.opened(), [0; 0]);
        // While someone is at it, it is not garbage.
        assert!(matches!(
            layout.gc(),
            Err(Error::Store(StoreError::Busy { .. }))
        ));
        child.kill().unwrap();
        child.wait().unwrap();
    };
    let (pushed, ()) = tokio::join!(layout.push(&descriptor, &source), kill);
    pushed.unwrap();
    assert_eq!(source.opened(), [HALF as u64]);
    assert!(fs::read(layout.blob_path(&descriptor.digest)).unwrap() == bytes);
}

/// Security row K3: what the machine's own failure cut off is not kept, also not of other blobs that
/// were on their way at the time.
#[tokio::test(flavor = "multi_thread")]
async fn k3_failing_machine_leaves_no_partial_blobs() {
    static NEVER: AtomicBool = AtomicBool::new(false);
    for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::IO] {
        let fail: fn() -> io::Error = match errno {
            rustix::io::Errno::MFILE => || rustix::io::Errno::MFILE.into(),
            _ => || rustix::io::Errno::IO.into(),
        };
        let (_folder, layout) = layout();
        let (first, bytes) = blob(3_000_000);
        let (second, others) = blob(2_000_000);
        let stalled = Source::gated(&others, 1 << 20, &NEVER);
        let broken = Source::breaking(&bytes, 1_000_000, fail);
        let failing = async {
            while fs::metadata(partial_path(&layout, &second)).map_or(0, |it| it.len()) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            layout.push(&first, &broken).await.unwrap_err()
        };
        let error = tokio::select! {
            _ = layout.push(&second, &stalled) => panic!("it cannot end"),
            error = failing => error,
        };
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        NEVER.store(true, Ordering::SeqCst);
        while !ingest(&layout).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        NEVER.store(false, Ordering::SeqCst);
    }
}

/// Space is looked for before the first byte, and what is there counts.
#[tokio::test]
async fn blob_that_does_not_fit_is_refused_before_the_first_byte() {
    let (_folder, layout) = layout();
    let huge = Descriptor::new("", blob(1).0.digest, 1 << 60);
    let (small, bytes) = blob(1000);
    layout.push(&small, &bytes).await.unwrap();
    layout
        .check_space(std::slice::from_ref(&small))
        .await
        .unwrap();
    let checked = layout.check_space(&[huge.clone(), small]).await;
    let source = Source::default();
    let pushed = layout.push(&huge, &source).await;
    for error in [checked.unwrap_err(), pushed.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
    assert_eq!(source.opened(), [0; 0]);
    assert_eq!(ingest(&layout), [""; 0]);
    let missing = layout.check_space(&[huge]).await.unwrap_err();
    let text = missing.to_string();
    assert!(
        text.starts_with("needs ") && text.contains(" TiB more in `"),
        "{text}"
    );
}

/// `gc` keeps what the next push goes on with, for a day, and says what it keeps and frees.
#[tokio::test]
async fn gc_keeps_partial_blobs_for_a_day() {
    let (_folder, layout) = layout();
    let parts = Parts::new(&[b"kept"]);
    parts.put(&layout);
    layout.tag_as(&parts.root(), "v1").unwrap();
    let (descriptor, bytes) = blob(1_000_000);
    let broken = Source::breaking(&bytes, 500_000, cut);
    layout.push(&descriptor, &broken).await.unwrap_err();
    // One whose blob came in another way.
    fs::write(partial_path(&layout, &parts.root()), "x").unwrap();

    let plan = layout.gc().unwrap();
    assert_eq!(plan.partials.len(), 1);
    assert_eq!(plan.partials[0].0, parts.root().digest);
    assert_eq!(plan.resumable.len(), 1);
    assert_eq!(plan.resumable[0].0, descriptor.digest);
    assert!(plan.resumable_bytes() >= 1_000_000, "it is reserved");
    assert!(plan.blobs.is_empty() && plan.leftovers.is_empty());
    assert!(Layout::repair(layout.root()).unwrap().is_clean());
    assert_eq!(ingest(&layout).len(), 1);

    let path = partial_path(&layout, &descriptor);
    let yesterday = SystemTime::now() - Duration::from_secs(25 * 60 * 60);
    fs::File::open(&path)
        .unwrap()
        .set_modified(yesterday)
        .unwrap();
    let plan = layout.gc().unwrap();
    assert_eq!(plan.partials.len(), 1);
    assert!(plan.bytes() >= 1_000_000);
    assert_eq!(ingest(&layout), [""; 0]);

    layout.push(&descriptor, &broken).await.unwrap_err();
    let at_once = GcOptions {
        abandoned_after: Duration::ZERO,
    };
    assert_eq!(layout.gc_with(&at_once).unwrap().partials.len(), 1);
    assert_eq!(ingest(&layout), [""; 0]);
}

/// Security row A03: in a layout that someone else made, the file of a partial blob may lead out of
/// it. Nothing is written through a link.
#[tokio::test]
async fn partial_blob_that_is_a_link_is_refused() {
    let (folder, layout) = layout();
    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let (descriptor, bytes) = blob(1000);
    let path = partial_path(&layout, &descriptor);
    let link = |hard: bool| match hard {
        true => fs::hard_link(&victim, &path),
        false => std::os::unix::fs::symlink(&victim, &path),
    };
    for hard in [false, true] {
        link(hard).unwrap();
        let error = layout.push(&descriptor, &bytes).await.unwrap_err();
        assert!(error.to_string().contains("remove it"), "{error}");
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        fs::remove_file(&path).unwrap();
    }
    layout.push(&descriptor, &bytes).await.unwrap();
}
