use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::ErrorKind;
use crate::oci::{Digest, Reference};

const HEAD: &str = "version = 1\n";

fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn entry(reference: &str, content: &[u8]) -> Entry {
    Entry {
        reference: reference.parse().unwrap(),
        digest: Digest::sha256(content),
        signers: Vec::new(),
        locked: time(1_700_000_000),
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn lock_of(entries: &[(&str, Entry)]) -> Lock {
    let mut lock = Lock::default();
    for (text, entry) in entries {
        lock.put(name(text), entry.clone(), false).unwrap();
    }
    lock
}

#[test]
fn file_is_sorted_and_survives_being_read() {
    let signed = Entry {
        signers: vec![
            "key ab".to_owned(),
            "a \"quoted\" name\\ü, by https://x".to_owned(),
        ],
        ..entry("r.example/a/b:v1", b"b")
    };
    let lock = lock_of(&[("z.1", entry("r.example/z:v2", b"z")), ("b", signed)]);
    let text = lock.to_toml();
    let expected = format!(
        r#"# Written by `modelctl lock`.
version = 1

[model."b"]
reference = "r.example/a/b:v1"
digest = "{}"
signers = ["key ab", "a \"quoted\" name\\ü, by https://x"]
locked = "2023-11-14T22:13:20Z"

[model."z.1"]
reference = "r.example/z:v2"
digest = "{}"
locked = "2023-11-14T22:13:20Z"
"#,
        Digest::sha256(b"b"),
        Digest::sha256(b"z")
    );
    assert_eq!(text, expected);
    assert_eq!(Lock::parse(&text).unwrap(), lock);
}

#[test]
fn a34_moved_tag_says_from_what_to_what() {
    let lock = lock_of(&[("m", entry("r.example/m:v1", b"1"))]);
    let reference: Reference = "r.example/m:v1".parse().unwrap();
    lock.hold(&reference, &Digest::sha256(b"1")).unwrap();
    let error = lock.hold(&reference, &Digest::sha256(b"2")).unwrap_err();
    let (one, two) = (Digest::sha256(b"1"), Digest::sha256(b"2"));
    assert_eq!(
        error.to_string(),
        format!("tag v1 moved: locked {one} registry has {two} (use modelctl lock --update)")
    );
    assert_eq!(error.kind(), ErrorKind::Mismatch);
}

#[test]
fn what_is_not_locked_is_not_held() {
    let lock = lock_of(&[("m", entry("r.example/m:v1", b"1"))]);
    let one = Digest::sha256(b"1");
    for reference in ["r.example/m:v2", "r.example/n:v1", "other.example/m:v1"] {
        let error = lock.hold(&reference.parse().unwrap(), &one).unwrap_err();
        assert!(matches!(error, LockError::NotLocked(_)), "{reference}");
    }
    let pinned: Reference = format!("r.example/m@{one}").parse().unwrap();
    lock.hold(&pinned, &one).unwrap();
    let other = Digest::sha256(b"2");
    let pinned: Reference = format!("r.example/m@{other}").parse().unwrap();
    let error = lock.hold(&pinned, &other).unwrap_err();
    assert!(matches!(error, LockError::OtherDigest { .. }));
}

#[test]
fn entries_are_replaced_only_when_asked_and_never_lose_their_signers() {
    let signed = |content| Entry {
        signers: vec!["key ab".to_owned()],
        ..entry("r.example/m:v1", content)
    };
    let mut lock = lock_of(&[("m", signed(b"1"))]);
    let later = Entry {
        locked: time(1_800_000_000),
        ..signed(b"1")
    };
    let before = lock.clone();
    assert_eq!(lock.put(name("m"), later, true).unwrap(), Put::Unchanged);
    let unsigned = entry("r.example/m:v1", b"1");
    assert_eq!(lock.put(name("m"), unsigned, true).unwrap(), Put::Unchanged);
    let refused = [
        (signed(b"2"), false),
        (entry("r.example/m:v1", b"2"), true),
        (entry("r.example/m:v2", b"1"), false),
    ];
    for (entry, update) in refused {
        lock.put(name("m"), entry, update).unwrap_err();
    }
    assert_eq!(lock, before);
    assert_eq!(
        lock.put(name("m"), signed(b"2"), true).unwrap(),
        Put::Updated
    );
}

#[test]
fn malformed_files_are_refused_by_name() {
    let digest = Digest::sha256(b"");
    let model = |members: &str| format!("{HEAD}[model.m]\n{members}");
    let rows = [
        (String::new(), "missing field `version`"),
        ("version = 2".to_owned(), "version 2, expected 1"),
        (format!("{HEAD}models = {{}}"), "unknown field `models`"),
        (format!("{HEAD}{HEAD}"), "duplicate key"),
        (
            model(&format!(
                "reference = \"r.example/m:v1\"\ndigest = \"{digest}\""
            )),
            "missing field `locked`",
        ),
        (
            model(
                "reference = \"r.example/m:v1\"\ndigest = \"sha256:12\"\nlocked = \"2026-01-01T00:00:00Z\"",
            ),
            "invalid digest",
        ),
        (
            model(&format!(
                "reference = \"m:v1\"\ndigest = \"{digest}\"\nlocked = \"2026-01-01T00:00:00Z\""
            )),
            "entry `m` of the lock file: `reference`: `m:v1` names no registry",
        ),
        (
            model(&format!(
                "reference = \"r.example/m\"\ndigest = \"{digest}\"\nlocked = \"2026-01-01T00:00:00Z\""
            )),
            "has neither tag nor digest",
        ),
        (
            model(&format!(
                "reference = \"r.example/m@{}\"\ndigest = \"{digest}\"\nlocked = \"2026-01-01T00:00:00Z\"",
                Digest::sha256(b"x")
            )),
            "`reference` has another digest",
        ),
        (
            model(&format!(
                "reference = \"r.example/m:v1\"\ndigest = \"{digest}\"\nlocked = \"yesterday\""
            )),
            "`locked`",
        ),
        (
            model(&format!(
                "reference = \"r.example/m:v1\"\ndigest = \"{digest}\"\nsigners = [\"a\\nb\"]\nlocked = \"2026-01-01T00:00:00Z\""
            )),
            "not one line",
        ),
        (
            format!(
                "{HEAD}[model.\"../x\"]\nreference = \"r.example/m:v1\"\ndigest = \"{digest}\"\nlocked = \"2026-01-01T00:00:00Z\""
            ),
            "expected up to 128 letters",
        ),
        ("#".repeat(2 << 20), "larger than 1024 KiB"),
    ];
    for (text, message) in rows {
        let error = Lock::parse(&text).unwrap_err();
        assert!(error.to_string().contains(message), "{text:.300}\n{error}");
        assert_eq!(error.kind(), ErrorKind::Mismatch);
    }
}

#[test]
fn file_is_replaced_as_a_whole_or_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modelctl.lock");
    let missing = load(&path).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let put = |text: &'static str| {
        move |lock: &mut Lock| lock.put(name(text), entry("r.example/m:v1", b"1"), false)
    };
    change(&path, put("a")).unwrap();
    let before = fs::read(&path).unwrap();
    let failed = change(&path, |lock| {
        lock.put(name("b"), entry("r.example/m:v1", b"1"), false)?;
        lock.put(name("a"), entry("r.example/m:v1", b"2"), false)
    });
    failed.unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), before);
    fs::write(&path, "version = 1\nbroken").unwrap();
    change(&path, put("b")).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), "version = 1\nbroken");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn no_entry_is_lost_where_many_lock_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modelctl.lock");
    std::thread::scope(|scope| {
        for index in 0..16 {
            let path = &path;
            scope.spawn(move || {
                let put = |lock: &mut Lock| {
                    lock.put(
                        name(&format!("m{index}")),
                        entry("r.example/m:v1", b"1"),
                        false,
                    )
                };
                change(path, put).unwrap();
            });
        }
    });
    assert_eq!(load(&path).unwrap().entries().count(), 16);
}
