//! Disks that are full or broken, and other limits of the machine: a clear error, and nothing is left
//! (security row K3).

use std::fs;
use std::path::Path;
use std::process::Output;

use super::processes::Pushed;
use crate::support::folder::names;
use crate::support::proxy::Proxy;

/// Pulls while strace does something to some calls.
fn pull_injected(pushed: &Pushed, link: &Proxy, calls: &str, fault: &str) -> Output {
    let (trace, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}"));
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null"];
    let program = [&strace[..], &["-e", &trace, "-e", &inject]].concat();
    pushed.pull_through(link, &program).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Security row K3: each call that can fail for want of space, of files or of a sound disk does.
/// (strace counts the calls of each thread.)
#[test]
#[ignore = "needs strace"]
fn k3_failing_disk_leaves_nothing() {
    let pushed = Pushed::of(2, 600_000);
    // An earlier pull, which must stay as it is.
    let link = pushed.link();
    pushed.pull(&link);
    fs::write(pushed.env.path("out/labels.txt"), "earlier\n").unwrap();
    for (inject, text) in [
        ("fallocate:error=ENOSPC:when=2", "No space left on device"),
        ("pwrite64:error=ENOSPC:when=3", "No space left on device"),
        ("pwrite64:error=EDQUOT:when=3", "quota exceeded"),
        ("pwrite64:error=EIO:when=4", "Input/output error"),
        ("fsync:error=EIO:when=2", "Input/output error"),
        ("fsync:error=EIO:when=1", "Input/output error"),
        ("renameat2:error=EIO:when=1", "Input/output error"),
    ] {
        let (call, fault) = inject.split_once(':').unwrap();
        let output = pull_injected(&pushed, &link, call, fault);
        let stderr = errors(&output);
        assert_eq!(output.status.code(), Some(1), "{inject}: {stderr}");
        assert!(stderr.contains(text), "{inject}: {stderr}");
        assert_eq!(names(&pushed.env.path("")), ["model", "out"], "{inject}");
        let labels = fs::read(pushed.env.path("out/labels.txt")).unwrap();
        assert_eq!(labels, b"earlier\n");
    }
}

/// Security row K3: calls that are interrupted are made again.
#[test]
#[ignore = "needs strace"]
fn k3_interrupted_calls_are_made_again() {
    let pushed = Pushed::of(2, 100_000);
    let link = pushed.link();
    let calls = "fallocate,pwrite64,fsync";
    let output = pull_injected(&pushed, &link, calls, "error=EINTR:when=1+2");
    assert!(output.status.success(), "{}", errors(&output));
    pushed.is_there();
}

/// Security row K3: with any number of files that may be open, a pull succeeds or leaves nothing.
#[test]
fn k3_pull_with_few_open_files_succeeds_or_leaves_nothing() {
    let pushed = Pushed::of(2, 100_000);
    let link = pushed.link();
    let (mut failures, mut limit) = (0, 8);
    loop {
        let script = format!("ulimit -n {limit}; exec \"$@\"");
        let output = pushed
            .pull_through(&link, &["sh", "-c", &script, "sh"])
            .output()
            .unwrap();
        if output.status.success() {
            break;
        }
        let stderr = errors(&output);
        assert!(!stderr.contains("panicked"), "{limit}: {stderr}");
        // A connection that cannot be made looks like a registry that is away.
        if output.status.code() != Some(6) {
            assert_eq!(names(&pushed.env.path("")), ["model"], "{limit}: {stderr}");
        }
        failures += 1;
        limit += 1;
        assert!(limit < 100, "{stderr}");
    }
    assert!(failures > 0);
    pushed.is_there();
}

/// Runs the command where no file may become longer than half a mebibyte, or one; asserts that it
/// says so and leaves nothing.
#[track_caller]
fn fails_at_the_limit(pushed: &Pushed, program: &[&str], arguments: &[&str]) {
    let limit = ["sh", "-c", "ulimit -f 1000; exec \"$@\"", "sh"];
    let binary = [env!("CARGO_BIN_EXE_modelctl")];
    let words = [program, &limit, &binary, arguments].concat();
    let mut command = pushed.env.command_of(Path::new(words[0]), &words[1..]);
    // The other programs are not those of the test.
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let output = command.output().unwrap();
    let stderr = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.contains("File too large"), "{arguments:?}: {stderr}");
    assert_eq!(names(&pushed.env.path("")), ["model"], "{arguments:?}");
}

/// Security row K3: a file that would be longer than the process may write is told like a full disk,
/// and nothing is left, wherever it was to lie.
#[test]
fn k3_file_beyond_the_limit_is_told_and_leaves_nothing() {
    let pushed = Pushed::of(2, 600_000);
    let link = pushed.link();
    let reference = format!("{}/m@{}", link.address, pushed.digest);
    fails_at_the_limit(&pushed, &[], &["pull", &reference, "-o", "out"]);
    fails_at_the_limit(&pushed, &[], &["pull", &reference]);
    fails_at_the_limit(&pushed, &[], &["cp", &reference, "oci:out:v1"]);
    fails_at_the_limit(&pushed, &[], &["pack", "./model", "-o", "oci:out:v1"]);
    let store = pushed.env.root("home/.local/share/modelctl");
    assert!(names(&store.join("ingest")).is_empty());
}

/// Security row K3: the same for a write that is cut short there, since no space can be reserved.
#[test]
#[ignore = "needs strace"]
fn k3_short_write_is_told_and_leaves_nothing() {
    let pushed = Pushed::of(2, 600_000);
    let link = pushed.link();
    let reference = format!("{}/m@{}", link.address, pushed.digest);
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null"];
    let inject = [
        "-e",
        "trace=fallocate",
        "-e",
        "inject=fallocate:error=EOPNOTSUPP",
    ];
    let strace = [&strace[..], &inject[..]].concat();
    fails_at_the_limit(&pushed, &strace, &["pull", &reference]);
}

/// Security row K3: a disk that is too small shows before the first byte of a blob.
#[test]
#[ignore = "needs unshare(1) and user namespaces"]
fn k3_disk_that_is_too_small_is_found_out_before_the_first_byte() {
    let pushed = Pushed::new(3);
    fs::create_dir(pushed.env.path("out")).unwrap();
    let mount = "mount -t tmpfs -o size=2m tmpfs out; \"$@\"";
    let unshare = [
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-ec",
        mount,
        "sh",
    ];
    let link = pushed.link();
    let output = pushed.pull_through(&link, &unshare).output().unwrap();
    let stderr = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("needs 4."), "{stderr}");
    assert!(stderr.contains(" MiB more in `out`"), "{stderr}");
    assert!(
        link.traffic().down < 64 << 10,
        "{} bytes came",
        link.traffic().down
    );
}
