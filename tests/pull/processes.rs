//! Pulls in processes of their own, killed and interrupted, two at a time: through a link that counts
//! what comes (security rows K1, K5, K6).

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::embedded::Embedded;
use crate::support::env::Env;
use crate::support::folder::names;
use crate::support::handmade::noise;
use crate::support::models::inline_sum;
use crate::support::proxy::{Proxy, Way};

/// How many floats a tensor has: 1 MiB of them is a shard of its own.
const FLOATS: usize = 512 * 1024;
/// What a killed process may have got that the next one asks for again, of each connection: what
/// has not filled a buffer, and what the system had not handed over.
const CHUNK: u64 = 1024 * 1024;
/// Blobs in flight.
const JOBS: u64 = 2;

/// A model of several shards in a registry.
pub(super) struct Pushed {
    pub(super) env: Env,
    registry: Embedded,
    pub(super) digest: String,
}

impl Pushed {
    /// Pushes a model of so many tensors of 2 MiB.
    pub(super) fn new(tensors: usize) -> Self {
        Self::of(tensors, FLOATS)
    }

    /// Pushes a model of so many tensors of so many floats.
    pub(super) fn of(tensors: usize, floats: usize) -> Self {
        let (env, registry) = (Env::new(), Embedded::new());
        let names: Vec<String> = (0..tensors).map(|index| format!("w{index}")).collect();
        let tensors = names.iter().zip(1..);
        let tensors: Vec<_> = tensors
            .map(|(name, seed)| (name.as_str(), floats, seed))
            .collect();
        env.write("model/model.onnx", inline_sum(&tensors));
        env.write("model/labels.txt", "low\nhigh\n");
        let reference = format!("{}/m:v1", registry.address);
        let digest = env.run(&["push", "./model", &reference]).ok();
        Self {
            env,
            registry,
            digest,
        }
    }

    /// A link to the registry that lets everything through, as fast as it comes.
    pub(super) fn link(&self) -> Proxy {
        Proxy::before(&self.registry.address.to_string())
    }

    /// One over which nothing comes any more after so many bytes, and until then little at a time.
    fn slow_link(&self, limit: u64) -> Proxy {
        self.link_down(limit, Duration::from_millis(1))
    }

    /// One over which nothing comes any more after so many bytes.
    fn silent_link(&self, limit: u64) -> Proxy {
        self.link_down(limit, Duration::ZERO)
    }

    fn link_down(&self, silent_after: u64, pause: Duration) -> Proxy {
        let down = Way {
            piece: 16 * 1024,
            pause,
            silent_after,
            ..Way::default()
        };
        Proxy::with(&self.registry.address.to_string(), Way::default(), down)
    }

    /// Pulls it through another program, which runs the command after its own arguments.
    pub(super) fn pull_through(&self, link: &Proxy, program: &[&str]) -> Command {
        let pull = self.arguments(link);
        let mut words = program[1..].to_vec();
        words.push(env!("CARGO_BIN_EXE_modelctl"));
        words.extend(pull.iter().map(String::as_str));
        let mut command = self.env.command_of(Path::new(program[0]), &words);
        // The other program is not one of the test's.
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    /// The arguments that pull it into `out` over a link.
    fn arguments(&self, link: &Proxy) -> [String; 7] {
        let reference = format!("{}/m@{}", link.address, self.digest);
        let jobs = JOBS.to_string();
        let words = ["pull", &reference, "-o", "out", "--json", "--jobs", &jobs];
        words.map(str::to_owned)
    }

    fn spawn(&self, link: &Proxy) -> Child {
        let arguments = self.arguments(link);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = self.env.command(&arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Pulls it to its end, and gives the report.
    #[track_caller]
    pub(super) fn pull(&self, link: &Proxy) -> serde_json::Value {
        let arguments = self.arguments(link);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let pulled = self.env.run(&arguments);
        pulled.ok();
        self.is_there();
        pulled.json()
    }

    /// Asserts that the model is in place, and nothing beside it.
    #[track_caller]
    pub(super) fn is_there(&self) {
        for name in ["model.onnx", "labels.txt"] {
            let read = |folder: &str| fs::read(self.env.path(folder).join(name)).unwrap();
            assert!(read("model") == read("out"), "{name} came back differently");
        }
        self.env.run(&["verify", "./out"]).ok();
        assert_eq!(names(&self.env.path("")), ["model", "out"]);
    }

    /// Asserts that the target is not there, or whole.
    #[track_caller]
    pub(super) fn is_whole_or_nothing(&self) {
        let target = self.env.path("out");
        if target.exists() {
            let report = modelctl::verify::directory(&target).unwrap();
            assert!(report.directory.is_some(), "{:?}", report.findings);
        }
    }

    fn size(&self) -> u64 {
        fs::metadata(self.env.path("model/model.onnx"))
            .unwrap()
            .len()
    }
}

fn kill(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits until so many bytes came over a link, and some of them were written.
fn wait_for_progress(pushed: &Pushed, link: &Proxy, bytes: u64) {
    while link.traffic().down < bytes || !has_progress(&pushed.env.path("")) {
        thread::sleep(Duration::from_millis(5));
    }
}

fn has_progress(folder: &Path) -> bool {
    let left = names(folder);
    let left = left.iter().find(|name| name.starts_with(".modelctl-tmp-"));
    let journal = left.map(|name| fs::read(folder.join(name).join("journal")));
    journal.is_some_and(|bytes| bytes.is_ok_and(|bytes| bytes[40..].iter().any(|byte| *byte > 0)))
}

/// Security row K1: what a killed pull had fetched does not come again.
#[test]
fn k1_killed_pull_is_gone_on_with() {
    let pushed = Pushed::new(4);
    let slow = pushed.slow_link(4 << 20);
    let mut child = pushed.spawn(&slow);
    wait_for_progress(&pushed, &slow, 4 << 20);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!pushed.env.path("out").exists());

    let link = pushed.link();
    let report = pushed.pull(&link);
    assert!(report["resumed"].as_u64().unwrap() > 0, "{report}");
    let came = slow.traffic().down + link.traffic().down;
    let most = pushed.size() + JOBS * CHUNK + (64 << 10);
    assert!(came <= most, "{came} bytes came, {most} at most");
}

/// Security row K1: killed at any time, again and again.
#[test]
#[ignore = "needs some ten seconds"]
fn k1_pull_killed_at_random_times_comes_to_its_end() {
    let pushed = Pushed::new(12);
    let mut came = 0;
    let mut kills = 0;
    for delay in noise(7, 25) {
        let link = pushed.slow_link(u64::MAX);
        let mut child = pushed.spawn(&link);
        thread::sleep(Duration::from_millis(u64::from(delay) * 3));
        let is_over = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        pushed.is_whole_or_nothing();
        came += link.traffic().down;
        if is_over {
            break;
        }
        kills += 1;
    }
    let link = pushed.link();
    pushed.pull(&link);
    came += link.traffic().down;
    assert!(kills > 0);
    // Each process asks for manifests anew.
    let most = pushed.size() + kills * (JOBS * CHUNK) + (kills + 2) * (64 << 10);
    assert!(
        came <= most,
        "{came} bytes came, {most} at most; {kills} kills"
    );
}

/// Security row K5: two processes pull into one folder, and fetch it once.
#[test]
fn k5_two_processes_pull_into_one_folder_and_fetch_it_once() {
    let pushed = Pushed::new(3);
    let link = pushed.slow_link(u64::MAX);
    let children: Vec<Child> = (0..3).map(|_| pushed.spawn(&link)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    pushed.is_there();
    let most = pushed.size() + (256 << 10);
    assert!(
        link.traffic().down <= most,
        "{} bytes came, {most} at most",
        link.traffic().down
    );
}

/// Security row K6: signals end a pull at once, though the registry says nothing any more; what came
/// is kept.
#[test]
fn k6_interrupted_pull_ends_at_once_and_is_gone_on_with() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let pushed = Pushed::new(2);
        let silent = pushed.silent_link(2 << 20);
        let mut child = pushed.spawn(&silent);
        wait_for_progress(&pushed, &silent, 2 << 20);
        kill(&child, signal);
        // A silent registry is given up after a minute, and then with another code.
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let left = names(&pushed.env.path(""));
        assert_eq!(left.len(), 2);
        assert!(left[0].starts_with(".modelctl-tmp-"), "{left:?}");

        let link = pushed.link();
        let report = pushed.pull(&link);
        assert!(report["resumed"].as_u64().unwrap() > 0, "{report}");
        let came = silent.traffic().down + link.traffic().down;
        let most = pushed.size() + JOBS * CHUNK + (64 << 10);
        assert!(came <= most, "{came} bytes came, {most} at most");
    }
}
