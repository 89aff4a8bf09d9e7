//! Files that change behind the cache's back, and caches that are no longer what was written.

use std::fs::{self, File};
use std::thread::sleep;

use super::*;
use crate::model::source::ModelFile;

/// Longer than the tick of any clock that file systems take times from.
const TICK: Duration = Duration::from_millis(30);

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn cache_folder(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// A cache that trusts a file as soon as its times are past.
    fn cache(&self) -> DigestCache {
        DigestCache::with_margin(&self.cache_folder(), Duration::ZERO)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The file as it is now, as a content.
    fn content(&self, name: &str) -> Segments {
        let file = ModelFile::new(name.parse().unwrap(), self.path(name)).unwrap();
        Segments::whole(&Arc::new(file))
    }

    /// Writes a file, lets it settle, and keeps its digest.
    fn kept(&self, cache: &DigestCache, name: &str, bytes: &[u8]) -> Segments {
        fs::write(self.path(name), bytes).unwrap();
        sleep(TICK);
        let content = self.content(name);
        cache.keep(&content, &Digest::sha256(bytes), SystemTime::now());
        assert_eq!(cache.find(&content), Some(Digest::sha256(bytes)));
        content
    }
}

#[test]
fn digest_of_an_unchanged_file_is_known_to_the_next_process() {
    let place = Place::new();
    let cache = place.cache();
    place.kept(&cache, "w", b"weights");
    assert!(!place.cache_folder().exists(), "nothing was saved yet");
    cache.save();
    let next = DigestCache::open(&place.cache_folder());
    let found = next.find(&place.content("w"));
    assert_eq!(found, Some(Digest::sha256(b"weights")));
    // Reading alone writes nothing.
    let file = place.cache_folder().join(NAME);
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    sleep(TICK);
    next.save();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
}

#[test]
fn parts_of_a_file_have_digests_of_their_own() {
    let place = Place::new();
    let cache = place.cache();
    let whole = place.kept(&cache, "w", b"0123456789");
    let (file, ..) = whole.only_range().unwrap();
    let part = |offset, length| {
        let file = Arc::clone(file);
        Segments::from_iter([super::super::content::Segment::Range {
            file,
            offset,
            length,
        }])
    };
    assert_eq!(cache.find(&part(0, 9)), None);
    cache.keep(&part(2, 3), &Digest::sha256(b"234"), SystemTime::now());
    assert_eq!(cache.find(&part(2, 3)), Some(Digest::sha256(b"234")));
    assert_eq!(cache.find(&part(3, 3)), None);
    assert_eq!(cache.find(&Segments::from(b"234".to_vec())), None);
}

#[test]
fn touched_file_is_hashed_again() {
    let place = Place::new();
    let cache = place.cache();
    place.kept(&cache, "w", b"weights");
    let file = File::options().append(true).open(place.path("w")).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
    assert_eq!(cache.find(&place.content("w")), None);
}

/// Same path, length and time of change: the time of the inode's change tells.
#[test]
fn file_that_was_replaced_or_rewritten_under_its_old_time_is_hashed_again() {
    let place = Place::new();
    let cache = place.cache();
    place.kept(&cache, "w", b"weights");
    let modified = fs::metadata(place.path("w")).unwrap().modified().unwrap();
    let set_back = |name: &str| {
        let file = File::options().append(true).open(place.path(name)).unwrap();
        file.set_modified(modified).unwrap();
    };
    // Another inode.
    fs::write(place.path("new"), b"WEIGHTS").unwrap();
    set_back("new");
    fs::rename(place.path("new"), place.path("w")).unwrap();
    assert_eq!(cache.find(&place.content("w")), None);
    // The same inode.
    place.kept(&cache, "w", b"weights");
    fs::write(place.path("w"), b"WEIGHTS").unwrap();
    set_back("w");
    assert_eq!(cache.find(&place.content("w")), None);
}

/// File systems give an inode away again as soon as it is free.
#[test]
fn file_with_the_inode_of_another_one_is_hashed_again() {
    let place = Place::new();
    let cache = place.cache();
    let kept = place.kept(&cache, "w", b"weights");
    let identity = kept.only_range().unwrap().0.identity();
    let mut were_the_same = 0;
    for _ in 0..100 {
        fs::remove_file(place.path("w")).unwrap();
        fs::write(place.path("w"), b"WEIGHTS").unwrap();
        let file = File::options().append(true).open(place.path("w")).unwrap();
        let modified = Duration::new(identity.modified.0 as u64, identity.modified.1 as u32);
        file.set_modified(SystemTime::UNIX_EPOCH + modified)
            .unwrap();
        let content = place.content("w");
        let now = content.only_range().unwrap().0.identity();
        were_the_same +=
            usize::from(now.inode == identity.inode && now.modified == identity.modified);
        assert_eq!(cache.find(&content), None);
    }
    println!("{were_the_same} of 100 had the same inode and time");
}

/// Racy, as git says: a write in the instant of hashing leaves the times as they are.
#[test]
fn file_that_changed_in_the_same_instant_is_not_trusted() {
    let place = Place::new();
    let cache = DigestCache::open(&place.cache_folder());
    fs::write(place.path("w"), b"weights").unwrap();
    let content = place.content("w");
    cache.keep(&content, &Digest::sha256(b"weights"), SystemTime::now());
    assert_eq!(cache.find(&content), None, "it is too new");
    let later = SystemTime::now() + MARGIN + TICK;
    cache.keep(&content, &Digest::sha256(b"weights"), later);
    assert!(cache.find(&content).is_some(), "it would be trusted later");
    // A clock that was set back makes files of the future.
    let past = SystemTime::now() - Duration::from_secs(1000);
    fs::write(place.path("v"), b"values").unwrap();
    let content = place.content("v");
    cache.keep(&content, &Digest::sha256(b"values"), past);
    assert_eq!(cache.find(&content), None);
}

#[test]
fn file_that_changes_while_it_is_hashed_is_not_kept() {
    let place = Place::new();
    let cache = place.cache();
    fs::write(place.path("w"), b"weights").unwrap();
    sleep(TICK);
    let (content, begun) = (place.content("w"), SystemTime::now());
    fs::write(place.path("w"), b"WEIGHTS").unwrap();
    cache.keep(&content, &Digest::sha256(b"weights"), begun);
    assert_eq!(cache.find(&content), None);
    fs::remove_file(place.path("w")).unwrap();
    cache.keep(&content, &Digest::sha256(b"weights"), begun);
    assert_eq!(cache.find(&content), None);
}

#[test]
fn broken_cache_is_no_cache_and_is_replaced() {
    let place = Place::new();
    let cache = place.cache();
    let content = place.kept(&cache, "w", b"weights");
    cache.save();
    let file = place.cache_folder().join(NAME);
    let good = fs::read(&file).unwrap();
    let mut broken: Vec<Vec<u8>> = (0..good.len())
        .map(|length| good[..length].to_vec())
        .collect();
    for at in 0..good.len() {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        broken.push(flipped);
    }
    broken.push([good.clone(), good.clone()].concat());
    broken.push(vec![b'x'; 6_000_000]);
    for bytes in broken {
        fs::write(&file, &bytes).unwrap();
        assert_eq!(place.cache().find(&content), None, "{} bytes", bytes.len());
    }
    let next = place.cache();
    next.keep(&content, &Digest::sha256(b"weights"), SystemTime::now());
    next.save();
    assert!(place.cache().find(&content).is_some());
    // A folder in its place, and a folder that cannot be made.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let odd = place.cache();
    odd.keep(&content, &Digest::sha256(b"weights"), SystemTime::now());
    odd.save();
    let nowhere = DigestCache::with_margin(&place.path("w"), Duration::ZERO);
    nowhere.keep(&content, &Digest::sha256(b"weights"), SystemTime::now());
    nowhere.save();
    assert!(nowhere.find(&content).is_some());
}

#[test]
fn two_processes_keep_what_both_have_found() {
    let place = Place::new();
    let (a, b) = (place.cache(), place.cache());
    place.kept(&a, "a", b"of a");
    place.kept(&b, "b", b"of b");
    a.save();
    b.save();
    let both = place.cache();
    assert!(both.find(&place.content("a")).is_some());
    assert!(both.find(&place.content("b")).is_some());
}

#[test]
fn many_processes_never_leave_half_a_cache() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let name = format!("f{n}");
                fs::write(place.path(&name), name.as_bytes()).unwrap();
                sleep(TICK);
                for _ in 0..20 {
                    let cache = place.cache();
                    let content = place.content(&name);
                    cache.keep(
                        &content,
                        &Digest::sha256(name.as_bytes()),
                        SystemTime::now(),
                    );
                    cache.save();
                    let records = file::read(&place.cache_folder().join(NAME));
                    assert!(!records.is_empty(), "it is whole at any time");
                }
            });
        }
    });
    let files = fs::read_dir(place.cache_folder()).unwrap().count();
    assert_eq!(files, 1, "no temporary file stays");
}

#[test]
fn cache_stays_small_and_keeps_what_was_used_last() {
    let place = Place::new();
    let path = place.path("digests");
    let record = |n: u32| {
        let key = Digest::sha256(&n.to_le_bytes());
        let used = u64::from(n);
        (key, Record { digest: key, used })
    };
    let records: Records = (0..70_000).map(record).collect();
    file::write(&path, &records).unwrap();
    let kept = file::read(&path);
    assert_eq!(kept.len(), 65_536);
    assert!(kept.values().all(|record| record.used >= 70_000 - 65_536));
}
