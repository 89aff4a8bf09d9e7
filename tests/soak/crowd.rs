//! Eight processes at a time that pull, push and collect garbage in one store.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use modelctl::oci::Digest;

use super::place::{JOBS, Place};
use super::random::{Random, number, seed};
use crate::interop::programs::Server;

const PROCESSES: usize = 8;
const MIB: usize = 1024 * 1024;
/// Models have a large, a middling and a small blob.
const SIZES: [usize; 3] = [5 * MIB, 2 * MIB, 60_000];
/// How often a new model is published.
const PERIOD: Duration = Duration::from_millis(700);
struct Crowd {
    place: Place,
    published: Mutex<Vec<String>>,
    is_over: AtomicBool,
    commands: AtomicUsize,
    busy: AtomicUsize,
}

impl Crowd {
    /// Publishes a model past the proxy.
    fn publish(&self, generation: usize) {
        let name = format!("m{generation}");
        self.place.model(&name, generation as u64 + 1, &SIZES);
        let tag = format!("soak/{name}:v1");
        let direct = self.place.server.reference(&tag);
        self.place.run(&["push", &format!("./{name}"), &direct]);
        let reference = self.place.reference(&tag);
        self.published.lock().unwrap().push(reference);
    }

    fn newest(&self, random: &mut Random) -> String {
        let published = self.published.lock().unwrap();
        let recent = &published[published.len().saturating_sub(3)..];
        recent[random.below(recent.len())].clone()
    }

    /// One of the eight: runs one process after the other.
    fn work(&self, worker: usize, seed: u64) {
        let mut random = Random::new(seed ^ (worker as u64 + 1));
        let jobs = format!("--jobs={JOBS}");
        while !self.is_over.load(Ordering::SeqCst) {
            let reference = self.newest(&mut random);
            let own = format!("soak/own{worker}:v1");
            match random.below(8) {
                0..4 => self.run(&["pull", &reference, &jobs]),
                4 => {
                    self.run(&["pull", &reference, &jobs]);
                    let copy = format!("{reference}-of-{worker}");
                    self.run(&["cp", &format!("store:{reference}"), &copy, &jobs])
                }
                5 => {
                    self.run(&["pack", "./unpublished", "-t", &own]);
                    self.run(&["rm", &format!("store:{own}")])
                }
                _ => self.collect(),
            }
        }
    }

    fn run(&self, arguments: &[&str]) {
        self.place.run(arguments);
        self.commands.fetch_add(1, Ordering::SeqCst);
    }

    /// While another process adds blobs there is nothing to collect.
    fn collect(&self) {
        let transcript = self.place.env.run(&["gc"]);
        match transcript.code {
            Some(0) => {}
            _ if transcript.stderr.contains("in use") => {
                self.busy.fetch_add(1, Ordering::SeqCst);
            }
            _ => panic!("{transcript}"),
        }
        self.commands.fetch_add(1, Ordering::SeqCst);
    }
}

/// Security row K5.
#[test]
#[ignore = "takes a minute; run by `make soak`"]
fn eight_processes_in_one_store_download_each_blob_once() {
    let seconds = Duration::from_secs(number("SOAK_SECONDS", 60));
    let seed = seed();
    let crowd = Crowd {
        place: Place::new(Server::embedded()),
        published: Mutex::default(),
        is_over: AtomicBool::new(false),
        commands: AtomicUsize::new(0),
        busy: AtomicUsize::new(0),
    };
    crowd.place.model("unpublished", 0, &SIZES);
    crowd.publish(0);
    thread::scope(|scope| {
        for worker in 0..PROCESSES {
            let crowd = &crowd;
            scope.spawn(move || {
                let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    crowd.work(worker, seed)
                }));
                // The others need not go on when one has failed.
                crowd.is_over.store(true, Ordering::SeqCst);
                ended.unwrap();
            });
        }
        let start = Instant::now();
        for generation in 1.. {
            if start.elapsed() >= seconds || crowd.is_over.load(Ordering::SeqCst) {
                break;
            }
            thread::sleep(PERIOD);
            crowd.publish(generation);
        }
        crowd.is_over.store(true, Ordering::SeqCst);
    });
    // What nobody chose is pulled now, so that it is known what had to move.
    let published = crowd.published.lock().unwrap().clone();
    for reference in &published {
        crowd.run(&["pull", reference]);
    }
    crowd.place.check_blobs();
    crowd.place.check_store();
    let models = published.len();
    let size = SIZES.iter().sum::<usize>() as u64 * models as u64;
    let down = crowd.place.proxy.traffic().down;
    let commands = crowd.commands.load(Ordering::SeqCst);
    let busy = crowd.busy.load(Ordering::SeqCst);
    println!(
        "{models} models of {size} bytes in all, {commands} commands ({busy} times gc had to wait): {down} bytes down"
    );
    let asked = crowd.place.proxy.asked();
    for model in 0..models {
        for file in fs::read_dir(crowd.place.env.path(&format!("m{model}"))).unwrap() {
            // A file that is no ONNX model travels whole.
            let layer = Digest::sha256(&fs::read(file.unwrap().path()).unwrap());
            assert_eq!(asked.get(&layer.to_string()), Some(&1), "{layer}");
        }
    }
    // Each command may look at the model manifest before it looks at the store.
    let overhead = 16 * 1024 * commands as u64;
    assert!(
        (size..size + overhead).contains(&down),
        "{down} bytes for {size}"
    );
}
