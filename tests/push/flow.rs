//! `push PATH REF` as one flow: layers are sent while others are hashed.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use modelctl::Result;
use modelctl::oci::{Descriptor, media_type};
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{Outline, PlanOptions};
use modelctl::store::{BlobSource, Memory, Storage};
use modelctl::transfer::Jobs;

use crate::support::models::{FLOAT, floats, sum, tensor};
use crate::support::plans::{chain, plan, write};

/// A store that does something to the files when it is first asked for a blob, and notes what it
/// gets.
struct Meddling<F> {
    inner: Memory,
    pushed: Mutex<Vec<Descriptor>>,
    meddle: F,
}

impl<F: Fn(&Descriptor) + Send + Sync> Meddling<F> {
    fn new(meddle: F) -> Self {
        Self {
            inner: Memory::new(),
            pushed: Mutex::default(),
            meddle,
        }
    }
}

impl<F: Fn(&Descriptor) + Send + Sync> Storage for Meddling<F> {
    type Reader = <Memory as Storage>::Reader;

    async fn fetch(&self, blob: &Descriptor) -> Result<Self::Reader> {
        self.inner.fetch(blob).await
    }

    async fn fetch_range(&self, blob: &Descriptor, range: Range<u64>) -> Result<Self::Reader> {
        self.inner.fetch_range(blob, range).await
    }

    async fn exists(&self, blob: &Descriptor) -> Result<bool> {
        (self.meddle)(blob);
        self.inner.exists(blob).await
    }

    async fn push(&self, expected: &Descriptor, content: &dyn BlobSource) -> Result<()> {
        self.inner.push(expected, content).await?;
        self.pushed.lock().unwrap().push(expected.clone());
        Ok(())
    }
}

async fn outline(path: &Path) -> Outline {
    let path: PathBuf = path.to_owned();
    let outline = move || Outline::new(&path, &PlanOptions::default()).unwrap();
    tokio::task::spawn_blocking(outline).await.unwrap()
}

fn two_tensors() -> Vec<u8> {
    let tensor = |name, seed, count: u64| {
        let floats = floats(seed, count as usize);
        tensor(name, FLOAT, &[count], &floats)
    };
    sum(&[
        ("w", tensor("w", 1, 1 << 20)),
        ("v", tensor("v", 2, 3 << 18)),
    ])
}

#[tokio::test]
async fn flow_stores_what_the_plan_says_with_the_manifest_last() {
    let folder = tempfile::tempdir().unwrap();
    let twice = b"the same in two files".to_vec();
    let files = [
        ("model.onnx", two_tensors()),
        ("a.txt", twice.clone()),
        ("b.txt", twice),
        ("empty.txt", Vec::new()),
    ];
    write(folder.path(), &files);
    let sink = Meddling::new(|_| {});
    let options = PackOptions::default();
    let outline = outline(folder.path()).await;
    let expected = (outline.files(), outline.layers());
    let sizes = (outline.original_size(), outline.stored_size());
    let (sent, report) = pack::send(outline, &sink, &options).await.unwrap();

    assert_eq!(
        expected,
        (sent.model_manifest.files.len(), sent.layers.len())
    );
    assert_eq!(sizes, (sent.original_size(), sent.stored_size()));
    let path = folder.path().to_owned();
    let planned = tokio::task::spawn_blocking(move || plan(&path)).await;
    let planned = planned.unwrap();
    assert_eq!(sent.manifest.digest(), planned.manifest.digest());
    let pushed = sink.pushed.lock().unwrap().clone();
    assert_eq!(pushed.len(), report.copied);
    assert_eq!(pushed.last(), Some(&planned.manifest.descriptor()));
    let manifest = planned.manifest.manifest().unwrap();
    for blob in manifest.blobs() {
        let times = pushed.iter().filter(|pushed| pushed.digest == blob.digest);
        assert_eq!(times.count(), 1, "{blob:?}");
    }
    let again = self::outline(folder.path()).await;
    let (_, report) = pack::send(again, &sink, &options).await.unwrap();
    assert_eq!((report.copied, report.bytes), (0, 0));
}

/// Changes a file when the sink is asked for a blob that is made of it; says why the push fails.
async fn changed_when_asked_for(name: &str, content: Vec<u8>, change: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[(name, content)]);
    let location = folder.path().join(name);
    let sink = Meddling::new(|blob: &Descriptor| {
        if blob.size >= 3 << 20 {
            fs::write(&location, change).unwrap();
        }
    });
    let options = PackOptions::default();
    let outline = outline(folder.path()).await;
    let failed = pack::send(outline, &sink, &options).await;
    let pushed = sink.pushed.lock().unwrap();
    let is_manifest = |blob: &Descriptor| media_type::is_manifest(&blob.media_type);
    assert!(!pushed.iter().any(is_manifest), "{pushed:?}");
    chain(&failed.unwrap_err())
}

/// A shard is read a second time when it is sent: what is sent must be what was hashed.
#[tokio::test]
async fn file_that_changes_between_hashing_and_sending_is_named() {
    for change in [vec![7; 3 << 20], b"shorter".to_vec()] {
        let text = changed_when_asked_for("w.bin", vec![1; 3 << 20], &change).await;
        let expected = "w.bin`: changed while it was being packed";
        assert!(text.contains(expected), "{text}");
    }
    // This one may be read still, for its own digest: then that says it.
    let text = changed_when_asked_for("model.onnx", two_tensors(), b"shorter").await;
    assert!(text.contains("model.onnx`: "), "{text}");
}

/// The first layers are on their way before the last one was read: changing that one is noticed.
#[tokio::test]
async fn layers_are_sent_while_others_are_not_even_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..200).map(|n| format!("{n:03}.bin")).collect();
    for (n, name) in names.iter().enumerate() {
        fs::write(folder.path().join(name), vec![n as u8; 1000 - n]).unwrap();
    }
    let last = folder.path().join(&names[199]);
    // Whichever comes first: hashing is then a few files further at most.
    let sink = Meddling::new(|blob: &Descriptor| {
        if blob.size >= 950 {
            fs::write(&last, b"changed").unwrap();
        }
    });
    let options = PackOptions {
        jobs: Jobs::Fixed(1),
        ..PackOptions::default()
    };
    let outline = outline(folder.path()).await;
    let failed = pack::send(outline, &sink, &options).await;
    let text = chain(&failed.unwrap_err());
    assert!(text.contains("199.bin`: changed"), "{text}");
}

/// A sink that fails ends the hashing, too.
#[tokio::test]
async fn push_that_fails_says_why_and_hashes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..100u8 {
        fs::write(folder.path().join(format!("{n}.bin")), [n; 10]).unwrap();
    }
    let server = crate::support::scripted::Scripted::start(|seen| {
        let refused = seen.method == "POST";
        refused.then(|| crate::support::scripted::Reply::new(403, ""))
    });
    let sink = crate::support::transport::anonymous(&server);
    let options = PackOptions::default();
    let outline = outline(folder.path()).await;
    let failed = pack::send(outline, &sink, &options).await;
    assert_eq!(failed.unwrap_err().kind(), modelctl::ErrorKind::Denied);
}
