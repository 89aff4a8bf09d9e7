//! Progress: bars at a terminal, events with `--json`, nothing where nobody looks.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use modelctl::oci::Digest;
use serde_json::Value;

use crate::support::env::{Env, Transcript};
use crate::support::pty::Pty;
use crate::support::scripted::{Content, Reply, Scripted};

const SIZE: usize = 3_000_000;

/// A registry with a model whose weights stop coming once, for a while.
fn slow(env: &Env) -> (Scripted, String) {
    let weights = vec![7; SIZE];
    env.write("model/weights.bin", &weights);
    let blob = format!("/blobs/{}", Digest::sha256(&weights));
    let part = Content::Stalled(SIZE as u64, weights[..SIZE / 3].to_vec());
    let stalled = AtomicBool::new(false);
    let server = Scripted::start(move |seen| {
        let wanted = seen.method == "GET" && seen.path().ends_with(&blob);
        let first = wanted && !stalled.swap(true, Ordering::SeqCst);
        first.then(|| Reply::new(200, "").content(part.clone()))
    });
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference, "-q"]).ok();
    (server, reference)
}

#[test]
fn bars_show_the_whole_and_each_blob_and_are_gone_in_the_end() {
    let env = Env::new().with("TERM", "xterm");
    let (_server, reference) = slow(&env);
    let pty = Pty::new();
    let mut pull = env.command(&["pull", &reference, "-o", "out"]);
    pull.stdout(Stdio::null()).stderr(pty.stream());
    let mut child = pull.spawn().unwrap();
    // The bar of the whole, then that of the blob.
    pty.expect(" left");
    pty.expect("1.00 MB/3.00 MB  weights.bin");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    pty.expect("pulled 2 files (3.0 MB) into out");
    let text = pty.text();
    let (drawn, after) = text.split_once("pulled 2 files").unwrap();
    assert!(
        !after.contains("weights.bin") && !after.contains(" left"),
        "{after:?}"
    );
    // The last thing that was drawn is an empty line.
    let last = drawn.rsplit("\x1b[2K").next().unwrap();
    assert!(!last.contains("MB"), "{drawn:?}");
}

#[test]
fn terminal_that_can_only_write_lines_gets_no_bars() {
    let env = Env::new().with("TERM", "dumb");
    let (_server, reference) = slow(&env);
    let pty = Pty::new();
    let mut pull = env.command(&["pull", &reference, "-o", "out"]);
    pull.stdout(Stdio::null()).stderr(pty.stream());
    let mut child = pull.spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    pty.expect("pulled 2 files (3.0 MB) into out");
    assert!(!pty.text().contains('\x1b'), "{:?}", pty.text());
}

#[test]
fn quiet_shows_nothing_at_a_terminal() {
    let env = Env::new().with("TERM", "xterm");
    let (_server, reference) = slow(&env);
    let pty = Pty::new();
    let mut pull = env.command(&["pull", &reference, "-o", "out", "--quiet"]);
    pull.stdout(Stdio::null()).stderr(pty.stream());
    let mut child = pull.spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(pty.text(), "");
}

/// The file is long enough to be hashed for a while, and takes no space.
#[test]
fn hashing_is_shown_and_gone_in_the_end() {
    let env = Env::new().with("TERM", "xterm");
    let file = std::fs::File::create(env.path("weights.bin")).unwrap();
    file.set_len(1 << 30).unwrap();
    let pty = Pty::new();
    let mut pack = env.command(&["pack", "./weights.bin", "--dry-run"]);
    pack.stdout(Stdio::null()).stderr(pty.stream());
    let mut child = pack.spawn().unwrap();
    pty.expect("hashing ");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    pty.expect("/1.07 GB");
    pty.expect_that("an empty line", |text| {
        !text.rsplit("\x1b[2K").next().unwrap().contains("hashing")
    });
}

/// The events on stderr, each of them one that `docs/events.md` describes.
fn events(transcript: &Transcript) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/events.md");
    let documented = std::fs::read_to_string(path).unwrap();
    let lines = transcript.stderr.lines();
    let events: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    for event in &events {
        let Some(kind) = event["event"].as_str() else {
            continue;
        };
        let row = documented
            .lines()
            .find(|row| row.starts_with(&format!("| `{kind}` |")));
        let row = row.unwrap_or_else(|| panic!("{kind} is not documented"));
        for member in event
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "event")
        {
            assert!(row.contains(&format!("`{member}`")), "{kind}.{member}");
        }
    }
    events
}

#[test]
fn json_events_tell_what_moves_and_the_result_stays_on_stdout() {
    let env = Env::new();
    let (_server, reference) = slow(&env);
    let pulled = env.run(&["pull", &reference, "-o", "out", "--json"]);
    pulled.ok();
    assert_eq!(pulled.json()["size"].as_u64().unwrap() / 1_000_000, 3);
    let events = events(&pulled);
    let weights = Digest::sha256(&vec![7; SIZE]).to_string();
    let of_weights = |kind: &str| {
        let found = events.iter().filter(|event| event["event"] == kind);
        found
            .filter(|event| event["digest"] == weights.as_str())
            .count()
    };
    assert!(of_weights("started") >= 1);
    assert_eq!(of_weights("finished"), 1);
    let started = events
        .iter()
        .find(|event| event["digest"] == weights.as_str());
    let started = started.unwrap();
    assert_eq!(
        (&started["path"], &started["size"]),
        (&"weights.bin".into(), &SIZE.into())
    );
    // It took three seconds.
    let progress = events.iter().filter(|event| event["event"] == "progress");
    let moved: Vec<u64> = progress
        .map(|event| event["moved"].as_u64().unwrap())
        .collect();
    assert!(
        moved.iter().any(|moved| *moved >= SIZE as u64 / 3),
        "{moved:?}"
    );
}

#[test]
fn json_warnings_and_failures_are_lines_too() {
    let env = Env::new();
    let (_server, reference) = slow(&env);
    let pulled = env.run(&[
        "pull", &reference, "-o", "out", "--seed", "nowhere", "--json",
    ]);
    pulled.ok();
    let warning = events(&pulled);
    let warning = warning.iter().find(|event| event["event"] == "warning");
    let text = warning.unwrap()["text"].as_str().unwrap();
    assert!(
        text.starts_with("`nowhere`: no model manifest can be read"),
        "{text}"
    );
    let failed = env.run(&["pull", &format!("{reference}x"), "--json"]);
    let last = events(&failed).pop().unwrap();
    assert_eq!(last["code"], "not-found");
}

#[test]
fn unavailable_registry_leads_to_the_same_command_again() {
    let transcript = Env::new().run(&["pull", "127.0.0.1:1/m:v1", "-o", "out"]);
    assert_eq!(transcript.code, Some(6));
    let hint = "hint: what has arrived is kept: run the same command again to go on\n";
    assert!(transcript.stderr.ends_with(hint), "{transcript}");
}
