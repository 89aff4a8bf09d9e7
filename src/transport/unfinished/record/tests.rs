use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn key() -> Key {
    Key {
        registry: Origin::of(&url("https://h/")).unwrap(),
        repository: "team/m".to_owned(),
        digest: Digest::sha256(b"weights"),
        size: 100,
    }
}

fn record(location: &str) -> Record {
    Record {
        location: url(location),
        offset: 7,
        minimum: 3,
    }
}

#[test]
fn record_is_read_as_it_was_written_and_only_by_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let written = record("https://h/v2/team/m/blobs/uploads/1?_state=a%2Fb");
    written.write(&path, &key()).unwrap();
    assert_eq!(Record::read(&path, &key()).unwrap(), Some(written));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Security row A24: locations that are credentials by themselves are not written down.
#[test]
fn location_that_holds_a_secret_is_not_kept() {
    for (location, kept) in [
        ("https://h/v2/m/blobs/uploads/1", true),
        ("https://h:443/u?_state=x&uuid=1", true),
        ("https://h/u?X-Amz-Signature=canary", false),
        ("https://h/u?SIG=canary", false),
        ("https://h/u?access_token=canary", false),
        ("https://canary@h/u", false),
        ("https://h:8443/u", false),
        ("http://h/u", false),
        ("https://store.example/u", false),
    ] {
        let keepable = record(location).is_keepable(&key().registry);
        assert_eq!(keepable, kept, "{location}");
    }
}

#[test]
fn file_of_anything_else_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let written = record("https://h/u");
    written.write(&path, &key()).unwrap();
    let good = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("https://h/u", "https://evil/u"),
        ("https://h/u", "https://canary@h/u"),
        ("https://h/u", "no URL"),
        ("\"offset\":7", "\"offset\":101"),
        ("\"offset\":7", "\"offset\":-1"),
        ("\"version\":1", "\"version\":2"),
        ("team/m", "team/n"),
        ("sha256:", "sha512:"),
        ("{", "["),
    ] {
        assert!(good.contains(from));
        std::fs::write(&path, good.replacen(from, to, 1)).unwrap();
        assert_eq!(Record::read(&path, &key()).unwrap(), None, "{from} {to}");
    }
    std::fs::write(&path, format!("{good}{}", " ".repeat(MAX_SIZE as usize))).unwrap();
    assert_eq!(Record::read(&path, &key()).unwrap(), None, "too long");
    std::fs::write(&path, &good).unwrap();
    let yesterday = std::time::SystemTime::now() - MAX_AGE - Duration::from_secs(1);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(yesterday).unwrap();
    assert_eq!(Record::read(&path, &key()).unwrap(), None, "too old");
    assert!(Record::read(folder.path(), &key()).unwrap().is_none());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("link")).unwrap();
    assert!(Record::read(&folder.path().join("link"), &key()).is_err());
}
