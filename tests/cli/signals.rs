//! SIGINT and SIGTERM: a command ends at once, says how it goes on, and leaves the terminal as it was.

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use modelctl::oci::Digest;
use rustix::process::Signal;

use super::registry::send;
use crate::support::env::Env;
use crate::support::pty::Pty;
use crate::support::scripted::{Content, Reply, Scripted};

/// Security row K6: a signal ends a transfer at once; nothing has a final name, and what came is kept
/// for the next pull.
#[test]
fn k06_signals_end_a_pull_with_their_own_codes_and_leave_no_target() {
    let weights = vec![7; 3_000_000];
    let blob = format!("/blobs/{}", Digest::sha256(&weights));
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let env = Env::new();
        env.write("model/weights.bin", &weights);
        let part = Content::Stalled(3_000_000, weights[..1_000_000].to_vec());
        let (reply, blob) = (Reply::new(200, "").content(part), blob.clone());
        let server = Scripted::start(move |seen| {
            (seen.method == "GET" && seen.path().ends_with(&blob)).then(|| reply.clone())
        });
        let reference = format!("{}/m:v1", server.address);
        env.run(&["push", "./model", &reference, "-q"]).ok();
        fs::remove_dir_all(env.path("model")).unwrap();

        let mut pull = env.command(&["pull", &reference, "-o", "out"]);
        let mut child = pull.stderr(Stdio::piped()).spawn().unwrap();
        wait_until(|| !files(&env).is_empty());
        let start = Instant::now();
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(start.elapsed() < Duration::from_secs(3));
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(
            said,
            "error: interrupted\n\nhint: what has arrived is kept: run the same command again to go on\n"
        );
        let left = files(&env);
        let is_hidden = |name: &String| name.starts_with(".modelctl-tmp-");
        assert!(left.iter().all(is_hidden), "{left:?}");
    }
}

/// Security row K6: a copy goes on, too, but an archive is whole or not there.
#[test]
fn k06_interrupted_copy_says_that_it_goes_on_where_it_does() {
    let weights = vec![7; 3_000_000];
    let blob = format!("/blobs/{}", Digest::sha256(&weights));
    let env = Env::new();
    env.write("model/weights.bin", &weights);
    let part = Content::Stalled(3_000_000, weights[..1_000_000].to_vec());
    let asked = blob.clone();
    let server = Scripted::start(move |seen| {
        let wanted = seen.method == "GET" && seen.path().ends_with(&asked);
        wanted.then(|| Reply::new(200, "").content(part.clone()))
    });
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference, "-q"]).ok();
    for (destination, says) in [("oci:out:v1", true), ("oci-archive:out.tar:v1", false)] {
        let before = server.log().len();
        let mut copy = env.command(&["cp", &reference, destination]);
        let mut child = copy.stderr(Stdio::piped()).spawn().unwrap();
        let is_asked = || {
            let log = server.log().split_off(before);
            log.iter()
                .any(|seen| seen.method == "GET" && seen.path().ends_with(&blob))
        };
        wait_until(is_asked);
        send(&child, Signal::INT);
        assert_eq!(code(&mut child), Some(130));
        let mut said = String::new();
        let stderr = child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert!(said.starts_with("error: interrupted\n"), "{said}");
        assert_eq!(said.contains("run the same command again"), says, "{said}");
    }
}

/// What lies in the current folder of the commands.
fn files(env: &Env) -> Vec<String> {
    let entries = fs::read_dir(env.path("")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end of a process, as long as a test may.
fn code(child: &mut Child) -> Option<i32> {
    wait_until(|| child.try_wait().unwrap().is_some());
    child.wait().unwrap().code()
}

/// Whether a process has handlers of its own for SIGINT and SIGTERM.
#[cfg(target_os = "linux")]
fn listens(child: &Child) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:\t"));
    let mask = u64::from_str_radix(mask.unwrap(), 16).unwrap();
    let both = 1 << (Signal::INT.as_raw() - 1) | 1 << (Signal::TERM.as_raw() - 1);
    mask & both == both
}

/// Security row K6: a command that hangs in a write, here to a pipe that nobody reads, ends too.
#[cfg(target_os = "linux")]
#[test]
fn k06_signal_ends_a_command_that_is_stuck_in_a_write() {
    let env = Env::new();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // What a pipe holds.
    writer.write_all(&[b' '; 65536]).unwrap();
    let mut command = env.command(&["completions", "bash"]);
    command.stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    wait_until(|| listens(&child));
    send(&child, Signal::TERM);
    assert_eq!(code(&mut child), Some(143));
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "error: interrupted\n");
}

/// Security row K6: Ctrl-C at the question for a password gives the echo back.
#[cfg(target_os = "linux")]
#[test]
fn k06_interrupt_restores_the_terminal() {
    let env = Env::new().with("TERM", "xterm");
    let pty = Pty::new();
    let program = env!("CARGO_BIN_EXE_modelctl");
    let arguments = ["--ctty", "--wait", program, "login", "127.0.0.1:1"];
    let mut command = env.command_of("/usr/bin/setsid".as_ref(), &arguments);
    command.args(["--username", "u"]);
    command.stdin(pty.stream()).stdout(pty.stream());
    let mut child = command.stderr(pty.stream()).spawn().unwrap();
    pty.expect("password: ");
    wait_until(|| !pty.echoes());
    pty.type_keys(b"\x03");
    assert_eq!(code(&mut child), Some(130));
    assert!(pty.echoes());
    pty.expect("interrupted");
}

/// Security row K6: bars are gone when a transfer is interrupted, and it says how it goes on.
#[test]
fn k06_interrupted_transfer_leaves_no_bars_behind() {
    let weights = vec![7; 3_000_000];
    let blob = format!("/blobs/{}", Digest::sha256(&weights));
    let env = Env::new().with("TERM", "xterm");
    env.write("model/weights.bin", &weights);
    let part = Content::Stalled(3_000_000, weights[..1_000_000].to_vec());
    let server = Scripted::start(move |seen| {
        let wanted = seen.method == "GET" && seen.path().ends_with(&blob);
        wanted.then(|| Reply::new(200, "").content(part.clone()))
    });
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference, "-q"]).ok();
    let pty = Pty::new();
    let mut pull = env.command(&["pull", &reference, "-o", "out"]);
    pull.stdout(Stdio::null()).stderr(pty.stream());
    let mut child = pull.spawn().unwrap();
    pty.expect("weights.bin");
    send(&child, Signal::INT);
    assert_eq!(code(&mut child), Some(130));
    pty.expect("run the same command again");
    let text = pty.text();
    let (drawn, said) = text.split_once("error:").unwrap();
    // Each line of bars was wiped before the last words.
    assert!(
        drawn.contains("\x1b[2K") && !said.contains("left"),
        "{text:?}"
    );
}
