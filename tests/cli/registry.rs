//! `registry`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal};

use crate::support::env::Env;
use crate::support::scripted::{Reply, Scripted};

/// The `registry` command on a free port; killed if it is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(env: &Env) -> Self {
        let mut command =
            env.command(&["registry", "--store", "served", "--listen", "127.0.0.1:0"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stderr = child.stderr.take().unwrap();
        BufReader::new(stderr).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("serving served on ");
        Self {
            address: address.unwrap_or_else(|| panic!("{line:?}")).to_owned(),
            child,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have stopped by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    rustix::process::kill_process(pid, signal).unwrap();
}

#[test]
fn registry_serves_until_it_is_told_to_stop() {
    let env = Env::new();
    env.write("model/weights.bin", [7; 3000]);
    let mut server = Server::start(&env);
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference, "-q"]).ok();
    env.run(&["pull", &reference, "-o", "out", "-q"]).ok();
    send(&server.child, Signal::TERM);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    // What was served is a layout.
    env.run(&["verify", "oci:served", "-q"]).ok();
}

#[test]
fn registry_is_not_exposed_by_mistake() {
    Env::new()
        .run(&["registry", "--store", "x", "--listen", "0.0.0.0:0"])
        .is("\
exit 2
--- stderr
error: `0.0.0.0:0` is not a loopback address: whoever reaches it could read and replace models

hint: name who may with `--htpasswd FILE`, encrypt with `--tls-cert` and `--tls-key`, and give `--allow-remote`
");
}

#[test]
fn registry_says_why_it_cannot_listen() {
    let env = Env::new();
    let server = Server::start(&env);
    let refused = env.run(&["registry", "--store", "other", "--listen", &server.address]);
    refused.is("\
exit 1
--- stderr
error: cannot listen on `127.0.0.1:[PORT]`: Address already in use (os error 98)
");
}

/// distribution 2 answers so; it has no tags that could go alone.
#[test]
fn registry_that_keeps_its_tags_is_not_taken_for_a_corrupt_one() {
    let env = Env::new();
    env.write("model/weights.bin", "x");
    let server = Scripted::start(|seen| {
        let body = r#"{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}"#;
        (seen.method == "DELETE").then(|| Reply::new(400, body))
    });
    let reference = format!("{}/m:v1", server.address);
    env.run(&["push", "./model", &reference, "-q"]).ok();
    env.run(&["rm", &reference]).is("\
exit 1
--- stderr
error: the registry does not remove tag `v1` alone: `DELETE http://127.0.0.1:[PORT]/v2/m/manifests/v1` failed: the registry refused (400): DIGEST_INVALID no

hint: `modelctl rm REPOSITORY@DIGEST` removes the artifact with all its tags, where the registry allows that
");
}

#[test]
fn localhost_is_asked_in_tls_on_request() {
    let server = Scripted::honest();
    let reference = format!("{}/m", server.address);
    let asked = Env::new().run(&["ls", &reference, "--plain-http=false"]);
    assert!(asked.stderr.contains("`GET https://127.0.0.1"), "{asked}");
    assert!(server.log().is_empty());
    Env::new().run(&["ls", &reference, "--plain-http"]).ok();
}
