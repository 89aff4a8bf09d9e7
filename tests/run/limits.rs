//! Models that never end or take all memory, in a process of their own (security row A54).
//! `MODELCTL_TEST_ORT_LIB` names the library.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use modelctl::run::{Limits, RunError, supervise};
use tempfile::TempDir;

use crate::support::graphs::{attribute, endless, node};
use crate::support::models::number;
use crate::support::runtime::run;

/// The environment variable that tells a worker which model to run.
const WORKER: &str = "MODELCTL_TEST_WORKER_MODEL";

/// Not a test by itself: what [`supervised`] starts in a process of its own.
#[test]
#[ignore = "needs the onnxruntime library"]
fn worker() {
    let Some(root) = std::env::var_os(WORKER) else {
        return;
    };
    limits(60).confine().unwrap();
    let bytes = fs::read(Path::new(&root).join("model.onnx")).unwrap();
    let error = run(Path::new(&root), &bytes).unwrap_err();
    assert!(matches!(error, RunError::Runtime { .. }), "{error}");
}

fn limits(seconds: u64) -> Limits {
    Limits {
        memory: Some(4 << 30),
        time: Some(Duration::from_secs(seconds)),
    }
}

/// Runs a model in a worker process, as the binary does.
fn supervised(bytes: &[u8], seconds: u64) -> Result<i32, String> {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("model.onnx"), bytes).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "run::limits::worker", "--include-ignored"])
        .env(WORKER, folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    supervise(&mut command, &limits(seconds)).map_err(|error| error.to_string())
}

/// A54: a state that doubles until the memory limit.
#[test]
#[ignore = "needs the onnxruntime library"]
fn a_loop_that_grows_meets_the_memory_limit() {
    const INT: u64 = 2;
    let axis = attribute("axis", &number(3, 0), INT);
    let double = node(("", "Concat"), &["state", "state"], &["next"], &axis);
    // An error of ONNX Runtime where it notices; else the worker dies and the parent says how.
    match supervised(&endless(double), 60) {
        Ok(code) => assert_eq!(code, 0, "the worker's assertions failed"),
        Err(text) => assert!(
            text.starts_with("ONNX Runtime was killed by signal "),
            "{text}"
        ),
    }
}

/// A54: a loop that never ends.
#[test]
#[ignore = "needs the onnxruntime library"]
fn a_loop_without_end_meets_the_time_limit() {
    assert_eq!(
        supervised(&endless(node(("", "Neg"), &["state"], &["next"], &[])), 5).unwrap_err(),
        "ONNX Runtime was stopped after 5 s, the time limit"
    );
}
