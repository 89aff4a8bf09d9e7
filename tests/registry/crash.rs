//! The embedded registry killed at any moment: what it acknowledged is there, and nothing half.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use modelctl::oci::{Descriptor, Digest, Document, Manifest, media_type};
use modelctl::store::Layout;
use tempfile::TempDir;

use crate::support::http::{Reply, Request, connect};

/// A registry process, which is killed when it is dropped, without a chance to clean up.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(store: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_modelctl"))
            .args(["registry", "--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .env_clear()
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stderr = child.stderr.take().unwrap();
        BufReader::new(stderr).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().parse();
        let process = Self {
            child,
            address: address.unwrap_or_else(|_| panic!("{line}")),
        };
        process.ask("/v2/").is(200);
        process
    }

    fn ask(&self, target: &str) -> Reply {
        Request::new("GET", target).send(self.address)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Security row K1, in the middle of a body.
#[test]
fn registry_killed_in_an_upload_shows_nothing_of_it() {
    let folder = TempDir::new().unwrap();
    let content = vec![3; 4_000_000];
    let digest = Digest::sha256(&content);
    let registry = Process::start(folder.path());
    let request = Request::new("POST", format!("/v2/a/blobs/uploads/?digest={digest}"));
    let request = request.body(content.as_slice());
    let mut stream = connect(registry.address);
    stream.write_all(request.head().as_bytes()).unwrap();
    stream.write_all(&content[..3_000_000]).unwrap();
    let scratch = folder.path().join("registry/scratch");
    let begin = Instant::now();
    while fs::read_dir(&scratch).unwrap().count() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(10));
        thread::sleep(Duration::from_millis(10));
    }
    drop(registry);
    assert!(
        fs::read_dir(folder.path().join("blobs/sha256"))
            .unwrap()
            .next()
            .is_none()
    );

    let registry = Process::start(folder.path());
    registry.ask(&format!("/v2/a/blobs/{digest}")).is(404);
    assert!(fs::read_dir(&scratch).unwrap().next().is_none());
    request.send(registry.address).is(201);
    assert!(registry.ask(&format!("/v2/a/blobs/{digest}")).is(200).body == content);
}

/// What a client was told is stored: location and content.
type Acknowledged = Mutex<Vec<(String, Vec<u8>)>>;

/// Pushes artifacts, each of a blob and a manifest with a tag, until the registry is gone.
fn push_until_it_dies(address: SocketAddr, round: usize, acknowledged: &Acknowledged) {
    for n in 0.. {
        let blob = format!("blob {n} of round {round}, {}", "x".repeat(n * 97 % 50_000));
        let document = Document::from_manifest(Manifest {
            schema_version: 2,
            media_type: Some(media_type::MANIFEST.to_owned()),
            artifact_type: None,
            config: Descriptor::of("application/vnd.test", blob.as_bytes()),
            layers: vec![],
            subject: None,
            annotations: std::collections::BTreeMap::new(),
        });
        let digest = Digest::sha256(blob.as_bytes());
        let upload = format!("/v2/a/blobs/uploads/?digest={digest}");
        let location = format!("/v2/a/blobs/{digest}");
        let tag = format!("/v2/a/manifests/r{round}-{n}");
        for (method, target, location, content) in [
            ("POST", &upload, &location, blob.as_bytes()),
            ("PUT", &tag, &tag, document.raw()),
        ] {
            match Request::new(method, target.as_str())
                .body(content)
                .try_send(address)
            {
                Ok(reply) => reply.is(201),
                Err(_) => return,
            };
            let mut acknowledged = acknowledged.lock().unwrap();
            acknowledged.push((location.clone(), content.to_vec()));
        }
    }
}

/// Security rows K1 and K2: killed at moments that fall anywhere between two steps.
#[test]
fn registry_killed_again_and_again_has_all_that_it_acknowledged() {
    let folder = TempDir::new().unwrap();
    let acknowledged = Acknowledged::default();
    for round in 0..8 {
        let registry = Process::start(folder.path());
        for (location, content) in acknowledged.lock().unwrap().iter() {
            assert!(
                registry.ask(location).is(200).body == *content,
                "{location}"
            );
        }
        let address = registry.address;
        thread::scope(|scope| {
            scope.spawn(|| push_until_it_dies(address, round, &acknowledged));
            thread::sleep(Duration::from_millis(60 + round as u64 * 37));
            drop(registry);
        });
        let layout = Layout::open(folder.path()).unwrap();
        for (digest, _) in layout.blobs().unwrap() {
            let content = fs::read(layout.blob_path(&digest)).unwrap();
            assert_eq!(Digest::sha256(&content), digest);
        }
    }
    assert!(acknowledged.lock().unwrap().len() > 20);
    // The index has every tag: another program finds all of it, and nothing needed is collected.
    drop(Process::start(folder.path()));
    let layout = Layout::open(folder.path()).unwrap();
    layout.gc().unwrap();
    let registry = Process::start(folder.path());
    let acknowledged = acknowledged.into_inner().unwrap();
    let is_manifest = |(location, _): &(String, _)| location.contains("/manifests/");
    for (at, stored) in acknowledged.iter().enumerate() {
        // A blob whose manifest never came is rightly gone.
        if is_manifest(stored) || acknowledged.get(at + 1).is_some_and(is_manifest) {
            let (location, content) = stored;
            assert!(
                registry.ask(location).is(200).body == *content,
                "{location}"
            );
        }
    }
}
