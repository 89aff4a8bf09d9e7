//! Real servers and clients: what `scripts/tools.sh` installs, found on PATH.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The binary under test.
pub(crate) const MODELCTL: &str = env!("CARGO_BIN_EXE_modelctl");

/// A registry server that is stopped when dropped.
pub(crate) struct Server {
    /// What it is called in messages.
    pub(crate) name: &'static str,
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    /// Where it keeps its blobs.
    pub(crate) storage: PathBuf,
    _process: Process,
    _folder: TempDir,
}

/// A program that is stopped when dropped.
pub(crate) struct Process(Child);

impl Server {
    /// CNCF distribution 3, the registry of today: no referrers API.
    pub(crate) fn distribution() -> Self {
        Self::of_distribution("distribution 3", "registry")
    }

    /// Debian's docker-registry 2.8, an old one.
    pub(crate) fn debian() -> Self {
        Self::of_distribution("docker-registry 2.8", "docker-registry")
    }

    /// Debian's docker-registry for the users of an htpasswd file.
    pub(crate) fn debian_for(htpasswd: &str) -> Self {
        Self::with_users(
            "docker-registry 2.8 with htpasswd",
            "docker-registry",
            Some(htpasswd),
        )
    }

    /// The registry of crane, in memory.
    pub(crate) fn crane() -> Self {
        let folder = TempDir::new().unwrap();
        let (address, storage) = (free_address(), folder.path().to_owned());
        let mut command = Command::new("crane");
        command.args(["registry", "serve", "--address", &address]);
        Self::start("crane registry", command, address, storage, folder)
    }

    /// The embedded registry.
    pub(crate) fn embedded() -> Self {
        Self::embedded_with(|_, _| {})
    }

    /// The embedded registry with further options, which may name files in the folder.
    pub(crate) fn embedded_with(further: impl FnOnce(&mut Command, &Path)) -> Self {
        let folder = TempDir::new().unwrap();
        let (address, storage) = (free_address(), folder.path().join("registry"));
        let mut command = Command::new(MODELCTL);
        command
            .args(["registry", "--listen", &address, "--store"])
            .arg(&storage);
        further(&mut command, folder.path());
        Self::start("modelctl registry", command, address, storage, folder)
    }

    /// The three registries that every model passes through.
    pub(crate) fn all() -> [Self; 3] {
        [Self::distribution(), Self::debian(), Self::embedded()]
    }

    fn of_distribution(name: &'static str, program: &str) -> Self {
        Self::with_users(name, program, None)
    }

    fn with_users(name: &'static str, program: &str, htpasswd: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let (address, storage) = (free_address(), folder.path().join("data"));
        let config = folder.path().join("config.yml");
        let mut text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage:\n  delete: {{enabled: true}}\n  \
             filesystem: {{rootdirectory: {}}}\nhttp: {{addr: {address}}}\n",
            storage.display()
        );
        if let Some(htpasswd) = htpasswd {
            let users = folder.path().join("htpasswd");
            fs::write(&users, htpasswd).unwrap();
            text += &format!(
                "auth: {{htpasswd: {{realm: r, path: {}}}}}\n",
                users.display()
            );
        }
        fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg(config)
            .env("OTEL_TRACES_EXPORTER", "none");
        Self::start(name, command, address, storage, folder)
    }

    fn start(
        name: &'static str,
        command: Command,
        address: String,
        storage: PathBuf,
        folder: TempDir,
    ) -> Self {
        Self {
            name,
            _process: Process::start(name, command, &address),
            address,
            storage,
            _folder: folder,
        }
    }

    /// A reference in this registry.
    pub(crate) fn reference(&self, rest: &str) -> String {
        format!("{}/{rest}", self.address)
    }

    /// The file that holds a blob: `<hex>/data` in distribution, `<hex>` in the embedded registry.
    pub(crate) fn blob_file(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let mut found = Vec::new();
        find(&self.storage, &mut |path| {
            let is_data = path.ends_with(format!("{hex}/data"));
            let is_blob = path.ends_with(format!("blobs/sha256/{hex}")) && path.is_file();
            if is_data || is_blob {
                found.push(path.to_owned());
            }
        });
        found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
        found
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("{} has no blob {digest}", self.name))
    }
}

impl Process {
    /// Starts a server, and waits until it listens.
    pub(crate) fn start(name: &str, mut command: Command, address: &str) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}; see scripts/tools.sh"));
        let process = Self(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "{name} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have stopped by itself; either way it is gone afterwards.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A loopback address that was free a moment ago.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

fn find(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        visit(&entry.path());
        if entry.path().is_dir() {
            find(&entry.path(), visit);
        }
    }
}

/// Runs a program that must succeed, and returns what it printed on stdout.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = finish(command);
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        text(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program to its end.
pub(crate) fn finish(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; see scripts/tools.sh"))
}

/// Both outputs of a program, for messages.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The Python that has onnx and onnxruntime.
pub(crate) fn python() -> Command {
    Command::new(
        std::env::var_os("MODELCTL_TEST_PYTHON")
            .expect("eval \"$(scripts/tools.sh python)\" sets it"),
    )
}

/// Every file below a folder: relative path and content, but for one folder at the top.
pub(crate) fn files(root: &Path, without: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    find(root, &mut |path| {
        let relative = path.strip_prefix(root).unwrap();
        if path.is_file() && !relative.starts_with(without) {
            found.push((relative.to_owned(), fs::read(path).unwrap()));
        }
    });
    found.sort();
    found
}
