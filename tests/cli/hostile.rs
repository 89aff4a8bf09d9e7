//! Hostile input through the binary: what is said in full, the exit code, and nothing left behind.

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use modelctl::model::Role;
use modelctl::oci::{Document, MAX_MANIFEST_SIZE, media_type};
use modelctl::store::Layout;

use crate::support::env::Env;
use crate::support::handmade::Artifact;
use crate::support::parts::{Parts, index};
use crate::support::scripted::{Content, Reply, Scripted};

/// A tar of one entry after those of an empty layout.
fn archive(kind: tar::EntryType, size: u64) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind: tar::EntryType, size: u64, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    };
    let marker = br#"{"imageLayoutVersion":"1.0.0"}"#;
    let regular = tar::EntryType::Regular;
    add("oci-layout", regular, marker.len() as u64, marker);
    let index = index(&[]);
    add("index.json", regular, index.raw().len() as u64, index.raw());
    add("evil", kind, size, b"");
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Security rows A10, A11, A14 and A15.
#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let sound = archive(tar::EntryType::Directory, 0);
    let link = archive(tar::EntryType::Symlink, 0);
    for (bytes, reason) in [
        (
            link.clone(),
            "not a tar of a layout: entry \"evil\": link entries are not allowed",
        ),
        (
            gzip(&link),
            "not a tar of a layout: entry \"evil\": link entries are not allowed",
        ),
        (
            archive(tar::EntryType::Char, 0),
            "not a tar of a layout: entry \"evil\": entries of type Char are not allowed",
        ),
        (
            archive(tar::EntryType::Regular, 1 << 32),
            "not a tar of a layout: entry \"evil\": it ends beyond the end of the file",
        ),
        (
            gzip(&sound)[..40].to_vec(),
            "not valid gzip: incomplete deflate stream",
        ),
    ] {
        let env = Env::new();
        env.write("x.tar", bytes);
        for command in [
            &["cp", "oci-archive:x.tar:v1", "oci:out:v1"][..],
            &["pull", "oci-archive:x.tar:v1", "-o", "out"],
            &["verify", "oci-archive:x.tar:v1"],
            &["run", "oci-archive:x.tar:v1"],
        ] {
            let expected = format!("exit 1\n--- stderr\nerror: archive `x.tar`: {reason}\n");
            env.run(command).is(&expected);
            let left: Vec<_> = fs::read_dir(env.path("")).unwrap().collect();
            assert_eq!(left.len(), 1, "{command:?} left {left:?}");
        }
    }
}

/// Security rows A30 and A32: manifests that are too large, endless, or of two kinds.
#[test]
fn hostile_manifests_are_named() {
    let both = r#"{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}"#;
    let digest = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:../x","size":1},"layers":[]}"#;
    let too_large = "the registry sent a manifest larger than 4194304 bytes";
    for (content, code, reason) in [
        (
            Content::Chunked(vec![b' '; MAX_MANIFEST_SIZE as usize + 1]),
            1,
            too_large,
        ),
        (Content::Endless, 1, too_large),
        (
            Content::Bytes(both.into()),
            5,
            "document can be read as a manifest and as an index",
        ),
        (
            Content::Bytes(digest.into()),
            5,
            "manifest is not valid JSON: invalid digest \"sha256:../x\": expected 64 lower-case hex \
             characters at line 1 column 69",
        ),
    ] {
        let server = Scripted::start(move |_| Some(Reply::new(200, "").content(content.clone())));
        let reference = format!("{}/m:v1", server.address);
        let env = Env::new();
        for command in [
            &["pull", &reference, "-o", "out"][..],
            &["pull", &reference],
            &["cp", &reference, "oci:out:v1"],
            &["verify", &reference],
            &["inspect", &reference],
            &["run", &reference],
        ] {
            env.run(command).is(&format!(
                "exit {code}\n--- stderr\nerror: `GET http://127.0.0.1:[PORT]/v2/m/manifests/v1`: \
                 {reason}\n"
            ));
            let is_layout = command[0] == "cp" && env.path("out/index.json").exists();
            assert!(is_layout || !env.path("out").exists(), "{command:?}");
            let _ = fs::remove_dir_all(env.path("out"));
        }
        let mut lines = server.lines().into_iter();
        assert!(lines.all(|line| line == "GET /v2/m/manifests/v1"));
    }
}

/// Security row A37: indexes in indexes, and an index where a model should be.
#[test]
fn nested_indexes_are_bounded_and_no_index_is_a_model() {
    let env = Env::new();
    let layout = Layout::open_or_create(&env.path("deep")).unwrap();
    let parts = Parts::new(&[b"layer"]);
    parts.put(&layout);
    let mut root = parts.document();
    for depth in 1..=5 {
        root = Document::from_index(modelctl::oci::Index::new(vec![root.descriptor()]));
        layout
            .put_blob(&root.descriptor(), &mut root.raw())
            .unwrap();
        let name = format!("depth-{depth}");
        layout.tag_as(&root.descriptor(), &name).unwrap();
    }
    env.run(&["cp", "oci:deep:depth-4", "oci:four:v1"]).ok();
    env.run(&["cp", "oci:deep:depth-5", "oci:five:v1"]).is("\
exit 5
--- stderr
error: cannot copy `sha256:[DIGEST]`: the source failed
  caused by: blob `sha256:[DIGEST]`: 5 levels of indexes are more than the limit of 4
");
    assert!(!env.path("five").exists());
    for command in [
        &["pull", "oci:deep:depth-1", "-o", "out"][..],
        &["run", "oci:deep:depth-1"],
    ] {
        env.run(command).is("\
exit 2
--- stderr
error: document is an index, not the manifest of a model
");
    }
    assert!(!env.path("out").exists());
}

/// Security row A34: a tag that leads elsewhere each time it is asked for.
#[test]
fn tag_that_flips_gives_one_model_whole() {
    let artifacts = [b"first", b"other"].map(|content| {
        let mut artifact = Artifact::empty();
        let layer = artifact.layer(media_type::LAYER_FILE, "file", content);
        artifact.file("file", Role::Other, &[(layer, 0, 5)]);
        artifact.finish()
    });
    let documents = artifacts.each_ref().map(|(_, document)| document.clone());
    let (asked, answers) = (AtomicUsize::new(0), documents.clone());
    let server = Scripted::start(move |seen| {
        let is_tag = seen.path().ends_with("/manifests/v1");
        is_tag.then(|| {
            let document = &answers[asked.fetch_add(1, Ordering::SeqCst) % 2];
            let digest = document.digest().to_string();
            Reply::new(200, document.raw())
                .with("Content-Type", document.media_type())
                .with("Docker-Content-Digest", digest)
        })
    });
    for (blobs, document) in &artifacts {
        server.contents().manifest(document, "other");
        blobs.0.values().for_each(|bytes| {
            server.contents().blob(bytes);
        });
    }
    let env = Env::new();
    let reference = format!("{}/m:v1", server.address);
    for round in 0..4 {
        let out = format!("out{round}");
        let digest = env.run(&["pull", &reference, "-o", &out, "-q"]).ok();
        assert_eq!(digest, documents[round % 2].digest().to_string());
        let content = fs::read_to_string(env.path(&out).join("file")).unwrap();
        assert_eq!(content, ["first", "other"][round % 2]);
    }
    // What was verified is what is pulled, since both go by its digest.
    let pinned = format!("{}/m@{}", server.address, documents[0].digest());
    env.run(&["verify", &pinned, "-q"]).ok();
    env.run(&["pull", &pinned, "-o", "pinned", "-q"]).ok();
    assert_eq!(fs::read(env.path("pinned/file")).unwrap(), b"first");
}

/// Security row A26: an endless list ends soon, and a list that leads elsewhere is not followed.
#[test]
fn endless_list_of_tags_is_given_up() {
    let server = Scripted::start(|seen| {
        let page: u64 = seen.query("page").map_or(0, |page| page.parse().unwrap());
        let link = format!("<?page={}>; rel=\"next\"", page + 1);
        Some(Reply::new(200, r#"{"tags":[]}"#).with("Link", link))
    });
    let listed = Env::new().run(&["ls", &format!("{}/m", server.address)]);
    listed.is("\
exit 1
--- stderr
error: `GET http://127.0.0.1:[PORT]/v2/m/tags/list?page=…`: the registry returned more than 1000 pages
");
    assert_eq!(server.log().len(), 1000);
}
