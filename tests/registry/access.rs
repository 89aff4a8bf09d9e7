//! Who may do what with the embedded registry: users, readers and writers, nobody at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use modelctl::oci::Digest;
use tempfile::TempDir;

use crate::support::embedded::Embedded;
use crate::support::http::{Reply, Request};

/// The cheapest hash there is, as the tests have no secrets.
const COST: u32 = 4;

/// A file of users, whose passwords are their names and `!`.
fn users(folder: &Path, names: &[&str]) -> PathBuf {
    let path = folder.join("users");
    let line = |name: &&str| {
        let hash = bcrypt::hash(format!("{name}!"), COST).unwrap();
        format!("{name}:{hash}\n")
    };
    fs::write(&path, names.iter().map(line).collect::<String>()).unwrap();
    path
}

fn as_user(request: Request, user: &str, password: &str) -> Request {
    let credential = STANDARD.encode(format!("{user}:{password}"));
    request.header("Authorization", format!("Basic {credential}"))
}

/// Asks as a user, with the user's own password.
fn ask(registry: &Embedded, user: &str, method: &str, target: &str) -> Reply {
    let request = as_user(Request::new(method, target), user, &format!("{user}!"));
    request.send(registry.address)
}

/// Security row A28, CVE-2025-63389: whoever has no password does nothing.
#[test]
fn a28_strangers_are_asked_for_a_password() {
    let folder = TempDir::new().unwrap();
    let file = users(folder.path(), &["alice"]);
    let registry = Embedded::with(|options| options.htpasswd = Some(file));
    let digest = Digest::sha256(b"x");
    for (method, target) in [
        ("GET", "/v2/".to_owned()),
        ("GET", "/v2/_catalog".to_owned()),
        ("GET", "/v2/a/tags/list".to_owned()),
        ("HEAD", format!("/v2/a/blobs/{digest}")),
        ("POST", "/v2/a/blobs/uploads/".to_owned()),
        ("DELETE", "/v2/a/manifests/v1".to_owned()),
        ("GET", "/v2/a/../b".to_owned()),
        ("GET", "/elsewhere".to_owned()),
    ] {
        let refused = registry.ask(method, target.as_str()).is(401);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
    for (user, password) in [("alice", "wrong"), ("alice", ""), ("bob", "alice!")] {
        let request = as_user(Request::new("GET", "/v2/"), user, password);
        let refused = request.send(registry.address);
        let refused = refused.fails(401, "UNAUTHORIZED");
        let text = String::from_utf8(refused.body).unwrap();
        assert!(text.contains("the user or the password is wrong"), "{text}");
    }
    ask(&registry, "alice", "GET", "/v2/").is(200);
    ask(&registry, "alice", "POST", "/v2/a/blobs/uploads/").is(202);
}

#[test]
fn reading_may_need_no_password_and_writing_a_right() {
    let folder = TempDir::new().unwrap();
    let file = users(folder.path(), &["alice", "bob"]);
    let registry = Embedded::with(|options| {
        options.htpasswd = Some(file);
        options.anonymous_read = true;
        options.writers = vec!["alice".to_owned()];
    });
    // So that clients which ask only once, here, learn to send a password.
    registry.ask("GET", "/v2/").is(401);
    registry.ask("GET", "/v2/_catalog").is(200);
    registry
        .ask("GET", "/v2/a/tags/list")
        .fails(404, "NAME_UNKNOWN");
    // skopeo sends this where it has no password.
    let empty = as_user(Request::new("GET", "/v2/_catalog"), "", "");
    empty.send(registry.address).is(200);
    let wrong = as_user(Request::new("GET", "/v2/_catalog"), "alice", "wrong");
    wrong.send(registry.address).fails(401, "UNAUTHORIZED");

    let open = ask(&registry, "alice", "POST", "/v2/a/blobs/uploads/").is(202);
    let upload = open.header("location").unwrap();
    // To ask how far an upload is takes it out of the hands of its client.
    registry.ask("GET", upload).fails(401, "UNAUTHORIZED");
    registry
        .ask("POST", "/v2/a/blobs/uploads/")
        .fails(401, "UNAUTHORIZED");
    for (method, target) in [
        ("POST", "/v2/a/blobs/uploads/"),
        ("GET", upload),
        ("DELETE", "/v2/a/manifests/v1"),
    ] {
        let refused = ask(&registry, "bob", method, target).fails(403, "DENIED");
        let text = String::from_utf8(refused.body).unwrap();
        assert!(text.contains("user `bob` may pull"), "{text}");
    }
    ask(&registry, "bob", "GET", "/v2/_catalog").is(200);
    ask(&registry, "bob", "GET", "/v2/").is(200);
}

/// Security row Q15: a read-only registry says so, in a sentence of its own.
#[test]
fn q15_read_only_registry_refuses_every_change() {
    let folder = TempDir::new().unwrap();
    let mut registry = Embedded::over(folder.path());
    let digest = registry.push_blob("a", b"kept");
    registry.stop().unwrap();
    let registry = Embedded::serve_with(folder.path(), |options| options.read_only = true);
    registry.ask("GET", format!("/v2/a/blobs/{digest}")).is(200);
    for (method, target) in [
        ("POST", "/v2/a/blobs/uploads/".to_owned()),
        (
            "POST",
            format!("/v2/b/blobs/uploads/?mount={digest}&from=a"),
        ),
        ("PUT", "/v2/a/manifests/v1".to_owned()),
        ("DELETE", format!("/v2/a/blobs/{digest}")),
        ("DELETE", "/v2/a/manifests/v1".to_owned()),
    ] {
        let refused = registry.ask(method, target).fails(405, "UNSUPPORTED");
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
        let text = String::from_utf8(refused.body).unwrap();
        assert!(text.contains("read-only"), "{text}");
    }
}

#[test]
fn users_are_read_again_when_their_file_changes() {
    let folder = TempDir::new().unwrap();
    let file = users(folder.path(), &["alice"]);
    let registry = Embedded::with(|options| options.htpasswd = Some(file));
    ask(&registry, "alice", "GET", "/v2/").is(200);
    ask(&registry, "carol", "GET", "/v2/").is(401);
    users(folder.path(), &["carol", "dave"]);
    let begin = Instant::now();
    while ask(&registry, "carol", "GET", "/v2/").status != 200 {
        assert!(begin.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(50));
    }
    // Whoever was let in before is not any more.
    ask(&registry, "alice", "GET", "/v2/").is(401);
    // A file that cannot be used changes nothing.
    fs::write(folder.path().join("users"), "carol:in-the-clear\n").unwrap();
    thread::sleep(Duration::from_millis(1500));
    ask(&registry, "carol", "GET", "/v2/").is(200);
}

#[test]
fn users_that_cannot_be_used_stop_the_start() {
    let folder = TempDir::new().unwrap();
    let refused = |text: &str, writers: &[&str]| {
        let file = folder.path().join("broken");
        fs::write(&file, text).unwrap();
        let mut registry = Embedded::with(|options| {
            options.htpasswd = Some(file);
            options.writers = writers.iter().map(|&name| name.to_owned()).collect();
        });
        registry.stop().unwrap_err().to_string()
    };
    let plain = refused("alice:{PLAIN}hunter2\n", &[]);
    assert!(
        plain.contains("line 1: user `alice` has no bcrypt"),
        "{plain}"
    );
    assert!(!plain.contains("hunter2"), "{plain}");
    let hash = bcrypt::hash("x", COST).unwrap();
    let writer = refused(&format!("alice:{hash}\n"), &["bob"]);
    assert!(writer.contains("does not name `bob`"), "{writer}");
}

/// Security row A28: a flood of wrong passwords does not keep out who was let in before.
#[test]
fn a28_flood_of_wrong_passwords_is_bounded() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("users");
    // Costly enough that checks queue up.
    let hash = bcrypt::hash("alice!", 10).unwrap();
    fs::write(&file, format!("alice:{hash}\n")).unwrap();
    let registry = Embedded::with(|options| options.htpasswd = Some(file));
    ask(&registry, "alice", "GET", "/v2/").is(200);
    thread::scope(|scope| {
        let guess = |n: usize| {
            let request = as_user(Request::new("GET", "/v2/"), "alice", &format!("guess {n}"));
            request.send(registry.address)
        };
        let guesses: Vec<_> = (0..100).map(|n| scope.spawn(move || guess(n))).collect();
        // This one needs no check, and so waits for none of those.
        ask(&registry, "alice", "GET", "/v2/").is(200);
        let statuses: Vec<u16> = guesses
            .into_iter()
            .map(|guess| guess.join().unwrap().status)
            .collect();
        assert!(
            statuses.iter().all(|status| [401, 429].contains(status)),
            "{statuses:?}"
        );
        assert!(statuses.contains(&401), "{statuses:?}");
    });
}
