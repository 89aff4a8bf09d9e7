//! Uploads that broke off and are gone on with, in the same process and in the next.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use modelctl::store::Storage;
use modelctl::transport::{ClientOptions, RetryOptions};

use crate::support::parts::Parts;
use crate::support::scripted::{Content, Early, Reply, Scripted};
use crate::support::transport::{anonymous, content, options, steps, with};

const MIB: u64 = 1024 * 1024;

/// A registry that breaks the first uploads off after so many bytes each, 0 for none.
fn breaking(cuts: &[u64]) -> Scripted {
    let (cuts, next) = (cuts.to_vec(), AtomicU64::new(0));
    Scripted::interrupting(
        move |seen| match seen.method.as_str() {
            "PUT" | "PATCH" => {
                let number = next.fetch_add(1, Ordering::SeqCst) as usize;
                match cuts.get(number).copied() {
                    None | Some(0) => Early::Read,
                    Some(length) => Early::Cut(length),
                }
            }
            _ => Early::Read,
        },
        |_| None,
    )
}

/// A client of one try that remembers.
fn remembering(state: &Path) -> ClientOptions {
    ClientOptions {
        state: Some(state.to_owned()),
        retry: RetryOptions {
            tries: 1,
            ..options().retry
        },
        ..options()
    }
}

fn records(state: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state.join("uploads")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|name| name == "json"));
    paths
}

/// More breaks than tries, since each try gets on.
#[tokio::test]
async fn broken_upload_goes_on_from_where_the_registry_is() {
    let server = breaking(&[2 * MIB; 6]);
    let (blob, bytes) = content(15 * MIB as usize);
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    let mut expected = vec!["POST".to_owned(), "PUT".to_owned()];
    for part in 1..=6 {
        expected.push("GET".to_owned());
        expected.push(format!("PUT {}-15728639", part * 2 * MIB));
    }
    assert_eq!(steps(&server), expected);
    assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
}

/// The registry has the blob and only its answer was lost: nothing is sent again.
#[tokio::test]
async fn upload_whose_answer_was_lost_is_complete() {
    let (blob, bytes) = content(7);
    let answered = AtomicU64::new(0);
    let server = Scripted::start(move |seen| {
        let number = answered.fetch_add(u64::from(seen.method == "PUT"), Ordering::SeqCst);
        match (seen.method.as_str(), number) {
            ("PUT", 0) => Some(Reply::new(201, "").content(Content::Nothing)),
            ("GET", _) => Some(Reply::new(404, "")),
            ("HEAD", _) => Some(Reply::new(200, "")),
            _ => None,
        }
    });
    anonymous(&server).push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&server), ["POST", "PUT", "GET", "HEAD"]);
}

/// A registry that does not tell how far it is gets the blob again.
#[tokio::test]
async fn upload_that_cannot_be_asked_about_is_begun_again() {
    for status in [400, 404, 405, 416, 501] {
        let number = AtomicU64::new(0);
        let server = Scripted::interrupting(
            move |seen| {
                let is_first = seen.method == "PUT" && number.fetch_add(1, Ordering::SeqCst) == 0;
                if is_first {
                    Early::Cut(MIB)
                } else {
                    Early::Read
                }
            },
            move |seen| (seen.method == "GET").then(|| Reply::new(status, "")),
        );
        let (blob, bytes) = content(2 * MIB as usize);
        anonymous(&server).push(&blob, &bytes).await.unwrap();
        assert_eq!(
            steps(&server),
            ["POST", "PUT", "GET", "HEAD", "POST", "PUT"]
        );
    }
}

/// The next process asks the registry and sends the rest; what is finished is forgotten.
#[tokio::test]
async fn next_process_goes_on_with_an_upload() {
    let state = tempfile::tempdir().unwrap();
    let server = breaking(&[5 * MIB]);
    let (blob, bytes) = content(17 * MIB as usize);
    let push = || async {
        let repository = with(remembering(state.path()), &server);
        repository.push(&blob, &bytes).await
    };
    push().await.unwrap_err();
    let [record] = &records(state.path())[..] else {
        panic!("one record");
    };
    let mode = record.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let folder = state.path().join("uploads").metadata().unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);

    push().await.unwrap();
    let expected = ["POST", "PUT", "GET", "GET", "PUT 5242880-17825791"];
    assert_eq!(steps(&server), expected);
    assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
    let left = std::fs::read_dir(state.path().join("uploads")).unwrap();
    assert_eq!(left.count(), 0);
}

/// A registry that is still reading what a killed process has sent is asked until it is done.
#[tokio::test]
async fn next_process_waits_until_a_session_stands_still() {
    let state = tempfile::tempdir().unwrap();
    let (asked, number) = (AtomicU64::new(0), AtomicU64::new(0));
    let server = Scripted::interrupting(
        move |seen| match seen.method.as_str() {
            "PUT" if number.fetch_add(1, Ordering::SeqCst) == 0 => Early::Cut(7 * MIB),
            _ => Early::Read,
        },
        move |seen| {
            let is_moving = seen.method == "GET" && asked.fetch_add(1, Ordering::SeqCst) < 2;
            let so_far = (4 + asked.load(Ordering::SeqCst)) * MIB;
            let reply = Reply::new(204, "").with("Range", format!("0-{}", so_far - 1));
            is_moving.then_some(reply)
        },
    );
    let (blob, bytes) = content(17 * MIB as usize);
    let repository = || with(remembering(state.path()), &server);
    repository().push(&blob, &bytes).await.unwrap_err();
    repository().push(&blob, &bytes).await.unwrap();
    let mut expected = vec!["POST", "PUT"];
    expected.extend(["GET"; 4]);
    expected.push("PUT 7340032-17825791");
    assert_eq!(steps(&server), expected);
    assert!(server.contents().blobs[&blob.digest.to_string()] == bytes);
}

/// A registry that has forgotten the session gets the blob from its start.
#[tokio::test]
async fn upload_that_the_registry_has_forgotten_is_begun_again() {
    let state = tempfile::tempdir().unwrap();
    let server = breaking(&[5 * MIB]);
    let (blob, bytes) = content(17 * MIB as usize);
    let repository = || with(remembering(state.path()), &server);
    repository().push(&blob, &bytes).await.unwrap_err();
    server.contents().uploads.forget();
    repository().push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&server), ["POST", "PUT", "GET", "POST", "PUT"]);
}

/// What lies in the state folder is as little believed as what a registry says.
#[tokio::test]
async fn hostile_state_is_not_followed() {
    let evil = Scripted::honest();
    let (blob, bytes) = content(17 * MIB as usize);
    for (what, replacement) in [
        ("other origin", format!("http://{}/", evil.address)),
        ("no JSON", "\"\"\"".to_owned()),
    ] {
        let state = tempfile::tempdir().unwrap();
        let server = breaking(&[5 * MIB]);
        let repository = || with(remembering(state.path()), &server);
        repository().push(&blob, &bytes).await.unwrap_err();
        let record = records(state.path()).remove(0);
        let text = std::fs::read_to_string(&record).unwrap();
        let here = format!("\"location\":\"http://{}/", server.address);
        assert!(text.contains(&here));
        let there = format!("\"location\":\"{replacement}");
        std::fs::write(&record, text.replace(&here, &there)).unwrap();
        repository().push(&blob, &bytes).await.unwrap();
        assert_eq!(steps(&server), ["POST", "PUT", "POST", "PUT"], "{what}");
        assert!(evil.log().is_empty());
    }
}

/// A place that is no session is neither written to nor deleted.
#[tokio::test]
async fn hostile_state_harms_nothing_at_the_registry() {
    let state = tempfile::tempdir().unwrap();
    let server = breaking(&[5 * MIB]);
    let parts = Parts::new(&[b"x"]);
    server.contents().manifest(&parts.document(), "v1");
    let (blob, bytes) = content(17 * MIB as usize);
    let repository = || with(remembering(state.path()), &server);
    repository().push(&blob, &bytes).await.unwrap_err();
    let record = records(state.path()).remove(0);
    let text = std::fs::read_to_string(&record).unwrap();
    let changed = text.replace("/v2/m/blobs/uploads/u0", "/v2/m/manifests/v1");
    assert_ne!(text, changed);
    std::fs::write(&record, changed).unwrap();
    repository().push(&blob, &bytes).await.unwrap();
    assert_eq!(steps(&server), ["POST", "PUT", "GET", "POST", "PUT"]);
    assert!(server.contents().manifests.contains_key("v1"));
}

/// Two processes never send to one session: the second begins its own.
#[tokio::test]
async fn session_of_a_running_process_is_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let (arrived, told) = tokio::sync::mpsc::unbounded_channel::<()>();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (arrived, wait) = (Arc::new(arrived), std::sync::Mutex::new(wait));
    let number = AtomicU64::new(0);
    let server = Scripted::start(move |seen| {
        if seen.method == "PUT" && number.fetch_add(1, Ordering::SeqCst) == 0 {
            arrived.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
        }
        None
    });
    let mut told = told;
    let (blob, bytes) = content(17 * MIB as usize);
    let slow = with(remembering(state.path()), &server);
    let (slow_blob, slow_bytes) = (blob.clone(), bytes.clone());
    let first = tokio::spawn(async move { slow.push(&slow_blob, &slow_bytes).await });
    told.recv().await.unwrap();
    let second = with(remembering(state.path()), &server);
    second.push(&blob, &bytes).await.unwrap();
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(steps(&server), ["POST", "PUT", "POST", "PUT"]);
}

/// A place elsewhere is a signed URL more often than not: it is not written down.
#[tokio::test]
async fn location_at_another_host_is_not_remembered() {
    let state = tempfile::tempdir().unwrap();
    let store = Scripted::interrupting(
        |seen| {
            if seen.method == "PUT" {
                Early::Cut(MIB)
            } else {
                Early::Read
            }
        },
        |_| None,
    );
    let place = format!("{}/bucket?X-Amz-Signature=canary", store.url());
    let server = Scripted::start(move |_| Some(Reply::new(202, "").with("Location", &place)));
    let (blob, bytes) = content(17 * MIB as usize);
    let repository = with(remembering(state.path()), &server);
    repository.push(&blob, &bytes).await.unwrap_err();
    assert!(records(state.path()).is_empty());
    assert!(!store.text().contains("authorization"));
}

/// Small blobs leave no trace.
#[tokio::test]
async fn blob_shorter_than_a_chunk_is_not_remembered() {
    let state = tempfile::tempdir().unwrap();
    let server = breaking(&[MIB]);
    let (blob, bytes) = content(2 * MIB as usize);
    let repository = with(remembering(state.path()), &server);
    repository.push(&blob, &bytes).await.unwrap_err();
    assert!(!state.path().join("uploads").exists());
}

/// What is older than a day is removed, and what is too much.
#[tokio::test]
async fn old_and_too_many_uploads_are_forgotten() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("uploads");
    std::fs::create_dir(&folder).unwrap();
    let now = std::time::SystemTime::now();
    let write = |name: String, seconds: u64| {
        let path = folder.join(name);
        let file = std::fs::File::create(&path).unwrap();
        let age = std::time::Duration::from_secs(seconds);
        file.set_modified(now - age).unwrap();
        path
    };
    let old = write("old.json".to_owned(), 25 * 60 * 60);
    for number in 0..300 {
        write(format!("{number}.json"), 60 + number);
    }
    let server = Scripted::honest();
    let (blob, bytes) = content(17 * MIB as usize);
    let repository = with(remembering(state.path()), &server);
    repository.push(&blob, &bytes).await.unwrap();
    assert!(!old.exists());
    assert_eq!(records(state.path()).len(), 256);
    assert!(folder.join("0.json").exists() && !folder.join("299.json").exists());
}
