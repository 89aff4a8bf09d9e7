//! Archives that mean harm, or mean two things at once: refused, and nothing of them is left.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use modelctl::oci::{Descriptor, media_type};
use modelctl::store::{Archive, Storage as _};
use modelctl::{Error, ErrorKind};
use tar::{EntryType, Header};
use tempfile::TempDir;

use crate::support::parts::index;

/// An archive with a sound layout and whatever else a test adds.
struct Hostile {
    folder: TempDir,
    tar: tar::Builder<Vec<u8>>,
}

impl Hostile {
    fn new() -> Self {
        let mut hostile = Self {
            folder: TempDir::new().unwrap(),
            tar: tar::Builder::new(Vec::new()),
        };
        let index = index(&[]);
        hostile.add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        hostile.add("index.json", index.raw());
        hostile
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        self.add_as(EntryType::Regular, name, bytes, |_| {});
    }

    /// Adds an entry whose name is written as it is, however bad.
    fn add_as(
        &mut self,
        kind: EntryType,
        name: &str,
        bytes: &[u8],
        change: impl FnOnce(&mut Header),
    ) {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        change(&mut header);
        header.set_cksum();
        self.tar.append(&header, bytes).unwrap();
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("hostile.tar")
    }

    fn open(self) -> Result<Archive, modelctl::store::StoreError> {
        let path = self.path();
        fs::write(&path, self.tar.into_inner().unwrap()).unwrap();
        Archive::open(&path)
    }

    /// Asserts that the archive is refused, and that the error says why.
    fn refused(self, expected: &str) {
        let error = self.open().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }
}

#[test]
fn other_files_and_folders_are_tolerated() {
    let mut archive = Hostile::new();
    archive.add_as(EntryType::Directory, "./blobs/", b"", |_| {});
    archive.add("./README", b"hello");
    archive.add("blobs/sha256/notes.txt", b"hello");
    assert!(archive.open().unwrap().entries().is_empty());
}

/// Security rows A10, A11, A15.
#[test]
fn entries_that_are_not_files_are_refused() {
    for (kind, expected) in [
        (
            EntryType::Symlink,
            "entry \"d\": link entries are not allowed",
        ),
        (EntryType::Link, "entry \"d\": link entries are not allowed"),
        (EntryType::Char, "entry \"d\": entries of type Char"),
        (EntryType::Block, "entry \"d\": entries of type Block"),
        (EntryType::Fifo, "entry \"d\": entries of type Fifo"),
        (
            EntryType::Continuous,
            "entry \"d\": entries of type Continuous",
        ),
        (EntryType::GNUSparse, "d"),
    ] {
        let mut archive = Hostile::new();
        archive.add_as(kind, "d", b"", |header| {
            header.set_link_name("/tmp/out").unwrap();
        });
        archive.refused(expected);
    }
}

/// Security row A03 and A10: nothing is unpacked, and still no path may leave the archive.
#[test]
fn unsafe_paths_are_refused() {
    for name in [
        "../x",
        "/x",
        "a/../../x",
        "a//x",
        "a/./x",
        "..",
        "a\\x",
        "a\nx",
    ] {
        let mut archive = Hostile::new();
        archive.add(name, b"");
        archive.refused("unsafe path");
    }
}

#[test]
fn name_that_occurs_twice_is_refused() {
    for name in ["index.json", "./index.json", "oci-layout"] {
        let mut archive = Hostile::new();
        archive.add(name, b"{}");
        archive.refused("it occurs twice");
    }
}

/// Security row A12: two readers must not see two archives.
#[test]
fn ambiguous_extensions_are_refused() {
    for (records, expected) in [
        ("11 size=13\n", "its header says 3 bytes, an extension 13"),
        (
            "8 mode=1\n8 mode=1\n".replace("8 ", "9 ").as_str(),
            "occurs twice",
        ),
        ("22 GNU.sparse.major=1\n", "sparse files are not allowed"),
    ] {
        let mut archive = Hostile::new();
        let records = records.as_bytes();
        archive.add_as(EntryType::XHeader, "PaxHeaders/x", records, |_| {});
        archive.add("x", b"abc");
        archive.add("padding", &[0; 512]);
        archive.refused(expected);
    }
}

#[test]
fn data_after_the_end_is_refused() {
    let archive = Hostile::new();
    let (path, folder) = (archive.path(), archive.folder);
    let mut bytes = archive.tar.into_inner().unwrap();
    bytes.write_all(b"more").unwrap();
    fs::write(&path, bytes).unwrap();
    let error = Archive::open(&path).unwrap_err();
    assert!(error.to_string().contains("data after the end"), "{error}");
    drop(folder);
}

/// Security row A14: sizes that no file has, and more entries than anyone needs.
#[test]
fn sizes_and_counts_are_bounded() {
    for size in [1 << 20, (1 << 33) - 1, u64::MAX >> 1] {
        let mut archive = Hostile::new();
        archive.add_as(EntryType::Regular, "x", b"", |header| header.set_size(size));
        archive.refused("entry \"x\": it ends beyond the end of the file");
    }
    let mut archive = Hostile::new();
    for number in 0..66_000 {
        archive.add(&format!("f{number}"), b"");
    }
    archive.refused("bytes of headers");
    let mut archive = Hostile::new();
    let long = vec![b'x'; 33 << 20];
    archive.add_as(EntryType::GNULongName, "././@LongLink", &long, |_| {});
    archive.add("x", b"");
    archive.refused("bytes of headers");
}

/// Security row A14: the same compressed, and gzip that goes on and on with nothing in it.
#[test]
fn compressed_archives_are_bounded_as_well() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let open = |bytes: &[u8]| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.tar.gz");
        fs::write(&path, bytes).unwrap();
        let opened = Archive::open(&path);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, if opened.is_ok() { 2 } else { 1 });
        opened.map(|archive| archive.entries().len())
    };
    let mut many = Hostile::new();
    for number in 0..66_000 {
        many.add(&format!("f{number}"), b"");
    }
    let many = many.tar.into_inner().unwrap();
    assert!(gzip(&many).len() * 5 < many.len());
    let error = open(&gzip(&many)).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("more than 33554432 bytes of headers"),
        "{error}"
    );
    let sound = gzip(&Hostile::new().tar.into_inner().unwrap());
    let members = gzip(b"").repeat(1_000_000);
    assert_eq!(open(&[&members[..], &sound].concat()).unwrap(), 0);
    let error = open(&members).unwrap_err();
    assert!(
        error.to_string().ends_with("it has no `index.json`"),
        "{error}"
    );
    let error = open(&[&sound[..], b"garbage"].concat()).unwrap_err();
    assert!(error.to_string().contains("not valid gzip"), "{error}");
}

/// Security row A12: names that two readers would read differently, or records without an end.
#[test]
fn names_in_extensions_are_those_that_are_checked() {
    for (records, expected) in [
        ("19 path=../../evil\n", "unsafe path"),
        ("19 path=index.json\n", "it occurs twice"),
        ("99 path=x\n", "malformed pax extension"),
        ("path", "malformed pax extension"),
    ] {
        let mut archive = Hostile::new();
        archive.add_as(
            EntryType::XHeader,
            "PaxHeaders/x",
            records.as_bytes(),
            |_| {},
        );
        archive.add("x", b"abc");
        archive.refused(expected);
    }
    // A GNU name and a pax name for one entry.
    let mut archive = Hostile::new();
    archive.add_as(EntryType::GNULongName, "././@LongLink", b"long\0", |_| {});
    archive.add_as(EntryType::XHeader, "PaxHeaders/x", b"10 path=x\n", |_| {});
    archive.add("y", b"abc");
    archive.refused("entry \"long\": its extensions give it two names");
    // What is said of all entries that follow.
    let global = |records: &str| {
        let mut archive = Hostile::new();
        let records = records.as_bytes();
        archive.add_as(
            EntryType::XGlobalHeader,
            "pax_global_header",
            records,
            |_| {},
        );
        archive.add("x", b"abc");
        archive
    };
    global("11 size=13\n").refused("its extension \"size\" is for all entries");
    global("10 path=x\n").refused("its extension \"path\" is for all entries");
    assert!(global("15 comment=git\n").open().is_ok());
}

#[test]
fn archive_cut_short_anywhere_is_refused_or_whole() {
    let archive = Hostile::new();
    let (path, _folder) = (archive.path(), archive.folder);
    let bytes = archive.tar.into_inner().unwrap();
    for length in (0..2048).step_by(64) {
        fs::write(&path, &bytes[..length]).unwrap();
        match Archive::open(&path) {
            Ok(archive) => assert!(archive.entries().is_empty()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        }
    }
}

#[test]
fn what_is_no_layout_is_refused() {
    let refuse = |bytes: &[u8], expected: &str| {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.tar");
        fs::write(&path, bytes).unwrap();
        let error = Archive::open(&path).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    refuse(b"", "it has no `index.json`");
    refuse(&[b'x'; 2048], "not a tar of a layout");
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    for path in [folder.path(), &pipe] {
        let error = Archive::open(path).unwrap_err();
        let expected = format!("archive `{}`: not a regular file", path.display());
        assert_eq!(error.to_string(), expected);
    }
    let absent = Archive::open(Path::new("/nonexistent/x.tar")).unwrap_err();
    assert_eq!(absent.kind(), ErrorKind::NotFound);
    let mut archive = Hostile::new();
    archive.tar = tar::Builder::new(Vec::new());
    archive.add("index.json", b"{\"schemaVersion\":2,\"manifests\":[]}");
    archive.refused("it has no `oci-layout`");
    let mut archive = Hostile::new();
    archive.tar = tar::Builder::new(Vec::new());
    archive.add("index.json", b"{\"schemaVersion\":2,\"manifests\":null}");
    archive.add("oci-layout", b"{}");
    archive.refused("index.json: ");
}

/// Security row A33: an archive whose blob has another length than its descriptor.
#[tokio::test]
async fn blob_of_another_length_is_named() {
    let mut archive = Hostile::new();
    let blob = Descriptor::of(media_type::OCTET_STREAM, b"four");
    archive.add(&format!("blobs/sha256/{}", blob.digest.hex()), b"fives");
    let folder = archive.path();
    fs::write(&folder, archive.tar.into_inner().unwrap()).unwrap();
    let opened = Archive::open(&folder).unwrap();
    let Err(Error::Store(error)) = opened.fetch(&blob).await else {
        panic!("it was opened");
    };
    let expected = format!("blob `{}`: got 5 bytes, expected 4", blob.digest);
    assert_eq!(error.to_string(), expected);
}
