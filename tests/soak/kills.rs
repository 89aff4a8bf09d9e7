//! Commands killed at random moments: after each kill nothing is wrong, the next run succeeds, and
//! moves hardly a byte twice.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::place::{JOBS, Place};
use super::random::{Random, number, seed};
use crate::interop::programs::{Server, files};
use crate::support::proxy::Traffic;

const MIB: usize = 1024 * 1024;
/// Large and small blobs.
const SIZES: [usize; 6] = [28 * MIB, 18 * MIB, 9 * MIB, 3 * MIB, 70_000, 11];
/// What a connection may move again after a kill: the chunk that was on its way.
const CHUNK: u64 = 16 * MIB as u64;
/// Manifests, questions, and the heads of requests.
const OVERHEAD: u64 = MIB as u64;

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    PullFolder,
    PullStore,
    PushPath,
    PushStore,
    Pack,
    Gc,
}

const TASKS: [Task; 6] = [
    Task::PullFolder,
    Task::PullStore,
    Task::PushPath,
    Task::PushStore,
    Task::Pack,
    Task::Gc,
];

/// What came of the rounds of one task.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    /// How many were killed before they had ended.
    killed: usize,
    /// The most bytes that moved twice in one round.
    worst: u64,
    moved_twice: u64,
}

struct Soak {
    place: Place,
    model: PathBuf,
    size: u64,
    published: String,
    round: usize,
}

impl Soak {
    fn new(server: Server) -> Self {
        let place = Place::new(server);
        let model = place.model("model", 1, &SIZES);
        let published = place.reference("soak/published:v1");
        place.run(&["push", "./model", &published]);
        Self {
            place,
            model,
            size: SIZES.iter().sum::<usize>() as u64,
            published,
            round: 0,
        }
    }

    fn target(&self) -> PathBuf {
        self.place.env.path("out")
    }

    /// Makes the place ready for a task, and gives its command.
    fn prepare(&mut self, task: Task) -> Vec<String> {
        self.round += 1;
        let fresh = self.place.reference(&format!("soak/r{}:v1", self.round));
        let jobs = format!("--jobs={JOBS}");
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match task {
            Task::PullFolder => {
                let _ = fs::remove_dir_all(self.target());
                // Nothing of it may be on this machine, or nothing would move.
                self.empty_store();
                words(&["pull", &self.published, "-o", "out", &jobs])
            }
            Task::PullStore => {
                self.empty_store();
                words(&["pull", &self.published, &jobs])
            }
            Task::PushPath => words(&["push", "./model", &fresh, &jobs]),
            Task::PushStore => {
                self.place.run(&["pack", "./model", "-t", &fresh]);
                words(&["push", &fresh, &jobs])
            }
            Task::Pack => {
                self.empty_store();
                words(&["pack", "./model", "-t", &fresh])
            }
            Task::Gc => {
                self.place.run(&["pack", "./model", "-t", "soak/kept:v1"]);
                let sizes = [MIB; 24];
                let garbage = self.place.model("garbage", self.round as u64 + 2, &sizes);
                self.place
                    .run(&["pack", "./garbage", "-t", "soak/garbage:v1"]);
                self.place.run(&["rm", "store:soak/garbage:v1"]);
                fs::remove_dir_all(garbage).unwrap();
                words(&["gc"])
            }
        }
    }

    fn empty_store(&self) {
        let _ = fs::remove_dir_all(self.place.store());
    }

    /// The folder of a pull is whole, or not there.
    fn check_target(&self, is_due: bool) {
        let target = self.target();
        if is_due || target.exists() {
            assert!(target.join(".modelctl/manifest.json").is_file());
            let expected = files(&self.model, ".modelctl");
            assert!(files(&target, ".modelctl") == expected, "the files differ");
        }
    }

    /// What has to move for a task, up and down.
    fn needed(&self, task: Task) -> Traffic {
        let (up, down) = match task {
            Task::PullFolder | Task::PullStore => (0, self.size),
            Task::PushPath | Task::PushStore => (self.size, 0),
            Task::Pack | Task::Gc => (0, 0),
        };
        Traffic { up, down }
    }

    /// Runs a task to its end.
    fn whole(&mut self, task: Task) -> Duration {
        let command = self.prepare(task);
        let start = Instant::now();
        self.place.run(&borrowed(&command));
        start.elapsed()
    }

    /// Kills a task after a while, looks at everything, and runs it to its end.
    fn round(&mut self, task: Task, after: Duration, tally: &mut Tally) {
        let command = self.prepare(task);
        let before = self.place.proxy.traffic();
        let mut child = self.place.spawn(&borrowed(&command));
        std::thread::sleep(after);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        self.place.check_blobs();
        self.check_target(false);
        self.place.run(&borrowed(&command));
        self.place.check_blobs();
        self.check_target(task == Task::PullFolder);
        if self.place.store().exists() {
            self.place.check_store();
        }
        let moved = self.place.proxy.traffic() - before;
        let needed = self.needed(task);
        let twice = moved.up.saturating_sub(needed.up) + moved.down.saturating_sub(needed.down);
        assert!(
            twice <= JOBS * CHUNK + OVERHEAD,
            "round {}, {task:?} killed after {after:?}: {moved:?} for {needed:?}",
            self.round
        );
        tally.rounds += 1;
        tally.killed += usize::from(status.signal() == Some(9));
        tally.moved_twice += twice;
        tally.worst = tally.worst.max(twice);
    }
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// All tasks, or those that `SOAK_TASKS` names.
fn chosen() -> Vec<Task> {
    let named = std::env::var("SOAK_TASKS").unwrap_or_default();
    let is_named = |task: &Task| named.split(',').any(|name| name == format!("{task:?}"));
    let mut tasks = TASKS.to_vec();
    tasks.retain(|task| named.is_empty() || is_named(task));
    tasks
}

/// Security rows K1, K2 and K7, for all commands.
fn kill_again_and_again(server: Server, rounds: u64) {
    let name = server.name;
    let mut random = Random::new(seed());
    let mut soak = Soak::new(server);
    let tasks = chosen();
    let durations: BTreeMap<Task, Duration> =
        tasks.iter().map(|&task| (task, soak.whole(task))).collect();
    let mut tallies = BTreeMap::<Task, Tally>::new();
    for _ in 0..rounds {
        let task = tasks[random.below(tasks.len())];
        // Later than the end now and then: what is there then must be whole as well.
        let after = random.time(durations[&task].mul_f64(1.1));
        soak.round(task, after, tallies.entry(task).or_default());
    }
    println!(
        "{name}: {rounds} rounds, {} MB a model",
        soak.size / 1_000_000
    );
    for (task, tally) in &tallies {
        let mean = tally.moved_twice / tally.rounds as u64;
        println!(
            "{task:?}: {} rounds, {} killed, moved twice {mean} bytes on average, {} at most",
            tally.rounds, tally.killed, tally.worst
        );
    }
    let killed: usize = tallies.values().map(|tally| tally.killed).sum();
    assert!(killed * 3 >= rounds as usize, "hardly a command was killed");
}

#[test]
#[ignore = "takes minutes; run by `make soak`"]
fn commands_killed_at_any_moment_with_the_embedded_registry() {
    kill_again_and_again(Server::embedded(), number("SOAK_ROUNDS", 300) / 2);
}

#[test]
#[ignore = "takes minutes and needs registry; run by `make soak`"]
fn commands_killed_at_any_moment_with_distribution() {
    kill_again_and_again(
        Server::distribution(),
        number("SOAK_ROUNDS", 300).div_ceil(2),
    );
}
