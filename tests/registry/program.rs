//! The registry as a program: what it says on stderr, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::http::Request;

/// The address at the end of a line, or in the middle of a URL.
fn address(line: &str) -> std::net::SocketAddr {
    let word = line.rsplit(' ').next().unwrap();
    let word = word
        .trim_start_matches("http://")
        .trim_end_matches("/metrics");
    word.parse().unwrap_or_else(|_| panic!("{line}"))
}

#[test]
fn registry_tells_each_request_as_json_shows_metrics_and_ends_when_it_is_told_to() {
    let folder = TempDir::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_modelctl"))
        .args([
            "registry",
            "--listen",
            "127.0.0.1:0",
            "--metrics",
            "127.0.0.1:0",
        ])
        .args([
            "--log-format",
            "json",
            "--quota",
            "1MB",
            "--gc-interval",
            "1h",
        ])
        .arg("--store")
        .arg(folder.path())
        .env_clear()
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let (registry, metrics) = (address(&line()), address(&line()));
    Request::new("GET", "/v2/_catalog?last=x")
        .send(registry)
        .is(200);
    let told: serde_json::Value = serde_json::from_str(&line()).unwrap();
    assert_eq!(told["method"], "GET");
    assert_eq!(told["path"], "/v2/_catalog");
    assert_eq!((&told["status"], &told["sent"]), (&200.into(), &19.into()));
    let shown = Request::new("GET", "/metrics").send(metrics).is(200);
    let shown = String::from_utf8(shown.body).unwrap();
    assert!(
        shown.contains("route=\"catalog\",status=\"200\"} 1\n"),
        "{shown}"
    );
    Request::new("DELETE", "/v2/a/manifests/v1")
        .send(registry)
        .is(404);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    // The last line is there, and then no more.
    let told: serde_json::Value = serde_json::from_str(&line()).unwrap();
    assert_eq!(told["method"], "DELETE");
    assert!(lines.next().is_none());
    assert!(child.wait().unwrap().success());
}

#[test]
fn options_that_need_each_other_are_asked_for_together() {
    for words in [
        &["--anonymous-read"][..],
        &["--writer", "alice"],
        &["--tls-cert", "x"],
        &["--tls-key", "x"],
        &["--gc-keep", "1h"],
        &["--gc-interval", "1ms"],
        &["--quota", "much"],
        &["--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_modelctl"))
            .args(["registry", "--store", "/dev/null/nowhere"])
            .args(words)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
    }
}
