//! The real binary while the kernel refuses, or the process is killed, at each step of a pull into
//! the store.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelctl::oci::{Descriptor, Digest};
use modelctl::store::{Layout, Storage as _};

use crate::support::embedded::Embedded;
use crate::support::env::{Env, Transcript};
use crate::support::handmade::noise;

/// Longer than a buffer of the pipeline, so that there are several writes.
const SIZE: usize = 1_200_000;

/// A registry with a model, and a store that has another one.
struct Setting {
    env: Env,
    _registry: Embedded,
    reference: String,
    large: Digest,
}

impl Setting {
    fn new() -> Self {
        let registry = Embedded::new();
        let env = Env::new();
        let bytes = noise(1, SIZE);
        env.write("model/weights.bin", &bytes);
        env.write("other/weights.bin", noise(2, 1000));
        let reference = format!("{}/demo/model:v1", registry.address);
        env.run(&["push", "./model", &reference]).ok();
        env.run(&["pack", "./other", "-t", "demo/other:v1"]).ok();
        Self {
            env,
            _registry: registry,
            reference,
            large: Digest::sha256(&bytes),
        }
    }

    fn layout(&self) -> Layout {
        Layout::open(&self.env.root("home/.local/share/modelctl")).unwrap()
    }

    /// The large layer while it is on its way.
    fn partial(&self) -> PathBuf {
        let name = format!("sha256-{}", self.large.hex());
        self.layout().root().join("ingest").join(name)
    }

    /// Pulls into the store, while strace does something to the calls that have to do with a path.
    fn pull_with(&self, path: &Path, injected: &str) -> Transcript {
        let binary = env!("CARGO_BIN_EXE_modelctl");
        let (path, log) = (path.to_str().unwrap(), self.env.root("strace.log"));
        let strace = program("strace");
        self.env.run_command(self.env.command_of(
            &strace,
            &[
                "-f",
                "-qq",
                "-o",
                log.to_str().unwrap(),
                "-P",
                path,
                "-e",
                &format!("inject={injected}"),
                binary,
                "pull",
                &self.reference,
                "--jobs=2",
            ],
        ))
    }

    fn forget(&self) {
        let layout = self.layout();
        let _ = layout.untag(&self.reference);
        layout.gc().unwrap();
    }

    /// Nothing wrong has a final name, and what was there before is whole.
    async fn check(&self) {
        let layout = self.layout();
        for (digest, size) in layout.blobs().unwrap() {
            let blob = Descriptor::new("", digest, size);
            let mut reader = layout.fetch(&blob).await.unwrap();
            let copied = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
            copied.unwrap();
        }
        self.env.run(&["verify", "store:demo/other:v1"]).ok();
    }

    fn unfinished(&self) -> Vec<String> {
        let entries = fs::read_dir(self.layout().root().join("ingest")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

/// Finds a program where this process would.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|file| file.is_file()).expect("it is installed")
}

/// Security row K3: whatever fails, the path is named, no temporary file is left, models that were
/// there are usable, and the next run succeeds.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace"]
async fn k3_failing_calls_leave_no_temporary_files_and_no_damage() {
    let setting = Setting::new();
    let root = setting.layout().root().to_owned();
    let blobs = root.join("blobs/sha256");
    for (path, injected) in [
        (setting.partial(), "openat:error=EMFILE"),
        (setting.partial(), "fallocate:error=ENOSPC"),
        (setting.partial(), "pwrite64:error=ENOSPC:when=2"),
        (setting.partial(), "pwrite64:error=EIO:when=3"),
        (setting.partial(), "pwrite64:error=EDQUOT:when=1"),
        (setting.partial(), "fsync:error=EIO"),
        (setting.partial(), "rename,renameat,renameat2:error=EROFS"),
        (blobs, "fsync:error=EIO"),
        (
            root.join("index.json"),
            "rename,renameat,renameat2:error=ENOSPC",
        ),
    ] {
        let failed = setting.pull_with(&path, injected);
        assert_eq!(failed.code, Some(1), "{injected}: {failed}");
        assert!(
            failed.stderr.contains(root.to_str().unwrap()),
            "{injected}: {failed}"
        );
        assert_eq!(setting.unfinished(), [""; 0], "{injected}");
        setting.check().await;
        setting.env.run(&["pull", &setting.reference]).ok();
        setting.forget();
    }
}

/// Security row K3: a call that was interrupted is made again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace"]
async fn k3_interrupted_writes_are_made_again() {
    let setting = Setting::new();
    let injected = "pwrite64:error=EINTR:when=1+2";
    setting.pull_with(&setting.partial(), injected).ok();
    setting.check().await;
}

/// Security row K2: killed at each call that changes the store.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace"]
async fn k2_killed_at_each_step_of_a_pull_into_the_store() {
    let setting = Setting::new();
    let root = setting.layout().root().to_owned();
    let mut steps = 0;
    for path in [
        setting.partial(),
        root.join("blobs/sha256"),
        root.join("index.json"),
        root.join(".index.lock"),
        root.clone(),
    ] {
        for calls in [
            "openat",
            "fallocate",
            "pwrite64",
            "fadvise64",
            "fsync",
            "fchmod",
            "rename,renameat,renameat2",
            "flock",
        ] {
            for number in 1..4 {
                let injected = format!("{calls}:signal=KILL:when={number}");
                let killed = setting.pull_with(&path, &injected);
                setting.check().await;
                setting.env.run(&["pull", &setting.reference]).ok();
                setting.check().await;
                setting.forget();
                if killed.code == Some(0) {
                    break;
                }
                steps += 1;
            }
        }
    }
    assert!(steps > 12, "only {steps} steps were found");
}

/// Security row K3: a disk that is full, for real.
#[test]
#[ignore = "needs unshare(1) and user namespaces"]
fn k3_model_that_does_not_fit_on_a_small_disk_is_refused_before_it_is_fetched() {
    let setting = Setting::new();
    let store = setting.env.path("small");
    fs::create_dir(&store).unwrap();
    let script = r#"
        mount -t tmpfs -o size=1m tmpfs "$1"
        "$2" --store "$1" pack ./other -t demo/other:v1
        status=0; "$2" --store "$1" pull "$3" || status=$?
        ls -A "$1/ingest"
        "$2" --store "$1" verify store:demo/other:v1
        exit $status"#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"])
        .args([
            store.as_os_str(),
            env!("CARGO_BIN_EXE_modelctl").as_ref(),
            setting.reference.as_ref(),
        ])
        .current_dir(setting.env.path(""))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(" more in `"), "{text}");
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(!listed.contains("sha256-"), "{listed}");
}

/// Security row K8: a store that cannot be read or written is named, and nothing in it changes.
#[test]
#[ignore = "needs unshare(1), setpriv(1) and user namespaces"]
fn k8_unreadable_and_read_only_stores_are_named() {
    let setting = Setting::new();
    let root = setting.layout().root().to_owned();
    // Without this capability, modes hold for root, too.
    let script = r#"
        run() { setpriv --bounding-set=-dac_override,-dac_read_search "$2" --store "$1" "$3" "$4" && exit 9 || echo "exit $?" >&2; }
        chmod 000 "$1/blobs/sha256"; run "$1" "$2" verify store:demo/other:v1; chmod 755 "$1/blobs/sha256"
        mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"
        run "$1" "$2" pull "$3"
        run "$1" "$2" rm store:demo/other:v1
        "$2" --store "$1" verify store:demo/other:v1"#;
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-ec", script, "sh"])
        .args([
            root.as_os_str(),
            env!("CARGO_BIN_EXE_modelctl").as_ref(),
            setting.reference.as_ref(),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let errors: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 3, "{text}");
    for error in errors {
        assert!(error.contains(root.to_str().unwrap()), "{text}");
    }
    Layout::repair(&root).unwrap();
}
