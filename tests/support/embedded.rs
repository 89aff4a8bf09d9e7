//! The embedded registry, served by this process on a port of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use modelctl::oci::{Descriptor, Digest, Document, Manifest, media_type};
use modelctl::registry::{self, RegistryOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::http::{Reply, Request};

/// A registry that stops when it is dropped.
pub(crate) struct Embedded {
    pub(crate) address: SocketAddr,
    store: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<modelctl::Result<()>>>,
    /// The store's folder, where it is this one's own.
    _folder: Option<TempDir>,
}

impl Embedded {
    /// Serves a new store.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// Serves a new store with other options.
    pub(crate) fn with(change: impl FnOnce(&mut RegistryOptions)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut embedded = Self::serve_with(folder.path(), change);
        embedded._folder = Some(folder);
        embedded
    }

    /// Serves a store that is there.
    pub(crate) fn over(store: &Path) -> Self {
        Self::serve_with(store, |_| {})
    }

    /// Serves a store that is there, or a new one in that folder, with other options.
    pub(crate) fn serve_with(store: &Path, change: impl FnOnce(&mut RegistryOptions)) -> Self {
        let mut options = RegistryOptions::new(store);
        change(&mut options);
        Self::serve(options)
    }

    fn serve(options: RegistryOptions) -> Self {
        let store = options.store.clone();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async { drop(stopped.await) };
                registry::serve(listener, options, stopped).await
            })
        });
        Self {
            address: told.recv().unwrap(),
            store,
            stop: Some(stop),
            thread: Some(thread),
            _folder: None,
        }
    }

    /// The file of a content.
    pub(crate) fn content(&self, digest: &Digest) -> PathBuf {
        let folder = self.store.join("blobs").join(digest.algorithm().as_str());
        folder.join(digest.hex())
    }

    /// How many files are not finished.
    pub(crate) fn unfinished(&self) -> usize {
        let scratch = self.store.join("registry/scratch");
        std::fs::read_dir(scratch).unwrap().count()
    }

    /// Sends a request without body.
    pub(crate) fn ask(&self, method: &str, target: impl Into<String>) -> Reply {
        Request::new(method, target).send(self.address)
    }

    /// Pushes a blob in one request.
    #[track_caller]
    pub(crate) fn push_blob(&self, repository: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        Request::new("POST", target)
            .body(content)
            .send(self.address)
            .is(201);
        digest
    }

    /// Opens an upload and gives its location.
    #[track_caller]
    pub(crate) fn open_upload(&self, repository: &str) -> String {
        let reply = self.ask("POST", format!("/v2/{repository}/blobs/uploads/"));
        reply.is(202).header("location").unwrap().to_owned()
    }

    /// Pushes a manifest by tag or digest.
    pub(crate) fn push_manifest(&self, repository: &str, name: &str, raw: &str) -> Reply {
        Request::new("PUT", format!("/v2/{repository}/manifests/{name}"))
            .body(raw)
            .send(self.address)
    }

    /// Stops serving; fails if serving failed.
    pub(crate) fn stop(&mut self) -> modelctl::Result<()> {
        drop(self.stop.take());
        let thread = self.thread.take().unwrap();
        thread.join().unwrap()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if self.thread.is_some() {
            let _ = self.stop();
        }
    }
}

/// A manifest of one config, with an annotation that tells it from others.
pub(crate) fn manifest_of(config: &[u8], note: &str) -> String {
    let document = Document::from_manifest(Manifest {
        schema_version: 2,
        media_type: Some(media_type::MANIFEST.to_owned()),
        artifact_type: None,
        config: Descriptor::of("application/vnd.test+json", config),
        layers: vec![],
        subject: None,
        annotations: [("note".to_owned(), note.to_owned())].into(),
    });
    String::from_utf8(document.raw().to_vec()).unwrap()
}
