//! Where a soak runs: a registry behind a proxy, a home, models, and what must be true of all files
//! at any moment.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use modelctl::oci::{Algorithm, Descriptor, Digest};
use modelctl::store::{Layout, VerifyReader};

use crate::interop::programs::Server;
use crate::support::env::{Env, Transcript};
use crate::support::handmade::noise;
use crate::support::proxy::Proxy;

/// How many blobs the commands of a soak move at a time.
pub(super) const JOBS: u64 = 2;

/// A registry, a proxy before it, and a home.
pub(super) struct Place {
    pub(super) env: Env,
    pub(super) server: Server,
    pub(super) proxy: Proxy,
}

impl Place {
    pub(super) fn new(server: Server) -> Self {
        let proxy = Proxy::before(&server.address);
        Self {
            env: Env::new(),
            server,
            proxy,
        }
    }

    /// A name in the registry, seen through the proxy.
    pub(super) fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.proxy.address)
    }

    /// Makes a model of files with these sizes, and gives its folder.
    pub(super) fn model(&self, name: &str, seed: u64, sizes: &[usize]) -> PathBuf {
        for (number, size) in sizes.iter().enumerate() {
            let bytes = noise(seed * 100 + number as u64, *size);
            self.env.write(&format!("{name}/{number}.bin"), bytes);
        }
        self.env.path(name)
    }

    /// The local store.
    pub(super) fn store(&self) -> PathBuf {
        self.env.root("home/.local/share/modelctl")
    }

    pub(super) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command: Command = self.env.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    #[track_caller]
    pub(super) fn run(&self, arguments: &[&str]) -> Transcript {
        let transcript = self.env.run(arguments);
        assert_eq!(transcript.code, Some(0), "{arguments:?}: {transcript}");
        transcript
    }

    /// No file under a blob's final name has other content than its name says, here and there.
    pub(super) fn check_blobs(&self) {
        for root in [self.store(), self.server.storage.clone()] {
            check_below(&root);
        }
    }

    /// Every entry of the local store has all that it needs, unbroken.
    pub(super) fn check_store(&self) {
        let mut report = Layout::repair(&self.store()).unwrap();
        // A killed command may leave a temporary file, with which nobody goes on.
        report.leftovers = 0;
        assert!(report.is_clean(), "{report:?}");
    }
}

/// Checks the blobs of a layout, and those of the folders of a distribution registry.
fn check_below(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check_below(&path);
        } else if let Some(digest) = named(&path) {
            // It may go while we look: then nothing is wrong with it.
            if let Ok(file) = File::open(&path) {
                check(&digest, file, &path);
            }
        }
    }
}

/// The digest by which a blob's file is named: `blobs/sha256/<hex>`, or `…/<hex>/data`.
fn named(path: &Path) -> Option<Digest> {
    let named = match path.file_name()?.to_str()? {
        "data" => path.parent()?,
        _ => path,
    };
    let hex = named.file_name()?.to_str()?;
    let is_blob = path.components().any(|part| part.as_os_str() == "blobs");
    let digest = format!("{}:{hex}", Algorithm::Sha256.as_str());
    digest.parse().ok().filter(|_| is_blob)
}

fn check(digest: &Digest, file: File, path: &Path) {
    let size = file.metadata().unwrap().len();
    let expected = Descriptor::new("", *digest, size);
    let mut reader = io::BufReader::with_capacity(1 << 20, VerifyReader::new(file, &expected));
    if let Err(error) = io::copy(&mut reader, &mut io::sink()) {
        panic!("{}: {error}", path.display());
    }
}
