//! Every step of a pull, seen by strace: killed there, and in the right order (security rows K2, K4).

use std::fs;
use std::process::Command;

use super::processes::Pushed;
use crate::support::folder::names;
use crate::support::proxy::Proxy;

/// A pull under strace with more arguments for it.
fn traced(pushed: &Pushed, link: &Proxy, arguments: &[&str]) -> Command {
    let trace = pushed.env.root("trace");
    let strace = ["strace", "-f", "-y", "-qq", "-o", trace.to_str().unwrap()];
    pushed.pull_through(link, &[&strace, arguments].concat())
}

/// Security row K2: killed at the first, second, third … fifth … call of everything that changes
/// files, the target is whole or not there, and the next pull succeeds.
#[test]
#[ignore = "needs strace"]
fn k2_pull_killed_at_any_step_is_gone_on_with() {
    let pushed = Pushed::of(2, 100_000);
    for call in [
        "mkdir,mkdirat",
        "fallocate",
        "pwrite64",
        "fchmod",
        "fsync",
        "rename,renameat2",
        "unlinkat,rmdir",
    ] {
        for step in [1, 2, 3, 5, 8, 13] {
            let link = pushed.link();
            let _ = fs::remove_dir_all(pushed.env.path("out"));
            let inject = format!("inject={call}:signal=KILL:when={step}");
            let trace = format!("trace={call}");
            let mut command = traced(&pushed, &link, &["-e", &trace, "-e", &inject]);
            let status = command.output().unwrap().status;
            pushed.is_whole_or_nothing();
            let left = names(&pushed.env.path(""));
            let is_ours = |name: &String| {
                name.starts_with(".modelctl-tmp-") || ["model", "out"].contains(&name.as_str())
            };
            assert!(left.iter().all(is_ours), "{left:?}");
            let again = pushed.link();
            pushed.pull(&again);
            if status.success() {
                break;
            }
            // Killed after the files were complete, nothing comes again but the manifests.
            if ["fchmod", "fsync", "rename,renameat2", "unlinkat,rmdir"].contains(&call) {
                assert!(
                    again.traffic().down < 64 << 10,
                    "{call} {step}: {} bytes",
                    again.traffic().down
                );
            }
        }
    }
}

/// Security row K4: files are on disk before the folder that holds them gets its name, and that
/// name is on disk before the pull says that it is done.
#[test]
#[ignore = "needs strace"]
fn k4_files_are_synced_then_renamed_then_their_folder_is_synced() {
    let pushed = Pushed::of(2, 100_000);
    let link = pushed.link();
    let calls = "trace=fsync,fdatasync,rename,renameat,renameat2";
    // The first pull finds nothing, the second one exchanges.
    for round in 0..2 {
        let output = traced(&pushed, &link, &["-e", calls]).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let trace = fs::read_to_string(pushed.env.root("trace")).unwrap();
        let lines: Vec<&str> = trace.lines().collect();
        let renamed = lines.iter().position(|line| {
            line.contains("rename") && line.contains("/new\"") && line.contains("out\"")
        });
        let renamed = renamed.unwrap_or_else(|| panic!("{trace}"));
        let synced = |path: &str| {
            let end = format!("{path}>");
            let mut lines = lines.iter();
            lines.position(|line| line.contains("sync(") && line.contains(&end))
        };
        for path in [
            "/new/model.onnx",
            "/new/labels.txt",
            "/new/.modelctl/manifest.json",
            "/new/.modelctl",
            "/new",
        ] {
            let at = synced(path).unwrap_or_else(|| panic!("{path} is not synced: {trace}"));
            assert!(at < renamed, "{path}: {trace}");
        }
        // What had begun before had ended before.
        let count = |word| {
            lines[..renamed]
                .iter()
                .filter(|line| line.contains(word))
                .count()
        };
        assert_eq!(count("<unfinished"), count("resumed>"), "{trace}");
        let after = lines[renamed..].iter().find(|line| line.contains("sync("));
        assert!(after.unwrap().contains("/work>"), "{trace}");
        if round == 0 {
            // Not in place any more.
            fs::remove_file(pushed.env.path("out/labels.txt")).unwrap();
        }
    }
}
