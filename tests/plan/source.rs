//! Which files of a folder are packed, and what is refused by name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use modelctl::model::source::{Selection, walk};

use crate::support::plans::write;

fn selection(exclude: &[&str], include: &[&str]) -> Selection {
    let owned = |patterns: &[&str]| patterns.iter().map(|pattern| pattern.to_string()).collect();
    Selection {
        exclude: owned(exclude),
        include: owned(include),
    }
}

fn walked(folder: &Path, selection: &Selection) -> (Vec<String>, Vec<String>) {
    let source = walk(folder, selection).unwrap();
    let paths = source.files.iter().map(|file| file.path.to_string());
    (paths.collect(), source.left_out)
}

fn refusal(folder: &Path) -> String {
    walk(folder, &Selection::default()).unwrap_err().to_string()
}

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        write(folder.path(), &[(file, vec![1])]);
    }
    folder
}

#[test]
fn caches_and_git_are_left_out_and_listed() {
    let folder = folder(&[
        ".git/config",
        ".github/workflows/x.yml",
        ".gitignore",
        ".gitattributes",
        "sub/.gitignore",
        ".cache/huggingface/download/x.lock",
        "sub/.cache/huggingface/y",
        ".cache/other",
        ".DS_Store",
        "sub/.DS_Store",
        "sub/__pycache__/m.pyc",
        "model.bin",
    ]);
    let (files, left_out) = walked(folder.path(), &Selection::default());
    assert_eq!(files, [".cache/other", "model.bin", "sub/.gitignore"]);
    let expected = [
        ".DS_Store",
        ".cache/huggingface/",
        ".git/",
        ".gitattributes",
        ".github/",
        ".gitignore",
        "sub/.DS_Store",
        "sub/.cache/huggingface/",
        "sub/__pycache__/",
    ];
    assert_eq!(left_out, expected);
}

#[test]
fn exclude_and_ignore_file_leave_out_and_include_overrides() {
    let folder = folder(&[
        "a.log",
        "keep.log",
        "logs/deep/b",
        "logs/c",
        ".git/HEAD",
        "x",
    ]);
    write(
        folder.path(),
        &[(".modelctlignore", b"# logs\n*.log\n!keep.log\n".to_vec())],
    );
    let (files, left_out) = walked(folder.path(), &selection(&["/logs"], &[]));
    assert_eq!(files, ["keep.log", "x"]);
    assert_eq!(left_out, [".git/", ".modelctlignore", "a.log", "logs/"]);
    let (files, left_out) = walked(
        folder.path(),
        &selection(&["/logs"], &["logs/deep", "/.git/HEAD"]),
    );
    assert_eq!(files, [".git/HEAD", "keep.log", "logs/deep/b", "x"]);
    assert_eq!(left_out, [".modelctlignore", "a.log", "logs/c"]);
}

#[test]
fn invalid_pattern_is_refused() {
    let folder = folder(&["x"]);
    let error = walk(folder.path(), &selection(&["[z-a]"], &[])).unwrap_err();
    assert!(
        error.to_string().contains("invalid pattern `[z-a]`"),
        "{error}"
    );
}

/// Security row A07: links are never followed and never dropped.
#[test]
fn symbolic_links_are_refused_with_link_target_and_remedy() {
    for (name, target) in [
        ("link", "weights.txt"),
        ("link", "/etc/passwd"),
        ("link", "../x"),
        ("loop", "."),
        ("sub/dangling", "nowhere"),
    ] {
        let folder = folder(&["weights.txt", "sub/x"]);
        symlink(target, folder.path().join(name)).unwrap();
        let error = refusal(folder.path());
        let expected = format!(
            "`{name}` is a symbolic link to `{target}`; pack the real file in its place, or leave it out with --exclude '/{name}'"
        );
        assert_eq!(error, expected);
        let (files, left_out) = walked(folder.path(), &selection(&[&format!("/{name}")], &[]));
        assert_eq!(files, ["sub/x", "weights.txt"]);
        assert_eq!(left_out, [name]);
    }
}

/// Security row A07.
#[test]
fn fifo_and_socket_are_refused() {
    let fifo = folder(&["x"]);
    let mode = rustix::fs::Mode::RUSR;
    let path = fifo.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(refusal(fifo.path()).starts_with("`pipe` is a FIFO, not a regular file"));
    let socket = folder(&["x"]);
    let _listener = std::os::unix::net::UnixListener::bind(socket.path().join("s")).unwrap();
    assert!(refusal(socket.path()).starts_with("`s` is a socket, not a regular file"));
}

/// Security row A04: what one file system cannot hold apart is not packed.
#[test]
fn names_that_clash_or_cannot_travel_are_refused() {
    let case = folder(&["A.onnx", "a.onnx"]);
    assert!(refusal(case.path()).contains("`A.onnx` and `a.onnx` are the same name"));
    let unicode = folder(&["u\u{308}", "\u{fc}"]);
    assert!(refusal(unicode.path()).contains("are the same name"));
    let backslash = folder(&["a\\b"]);
    assert!(refusal(backslash.path()).contains("it has a backslash; rename it"));
    let control = folder(&["a\nb"]);
    assert!(refusal(control.path()).contains("it has a control character; rename it"));
    let latin = tempfile::tempdir().unwrap();
    let name = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff");
    fs::write(latin.path().join(name), b"x").unwrap();
    assert!(refusal(latin.path()).contains("is not UTF-8; rename it"));
}

/// Security row A06: dots inside a name are no traversal.
#[test]
fn odd_but_safe_names_are_packed() {
    let names = ["-rf", "...", "..weights", "a...b", "weights..v2.bin", "~"];
    let folder = folder(&names);
    assert_eq!(walked(folder.path(), &Selection::default()).0, names);
}

#[test]
fn own_folder_is_left_out_if_a_pull_wrote_it_and_refused_otherwise() {
    let plan = crate::support::plans::plan(folder(&["x"]).path());
    let pulled = folder(&["x", ".modelctl/tests/case/input_0.pb"]);
    let manifest = plan.model_manifest.to_bytes();
    write(pulled.path(), &[(".modelctl/manifest.json", manifest)]);
    let (files, left_out) = walked(pulled.path(), &Selection::default());
    assert_eq!(
        (files, left_out),
        (vec!["x".to_owned()], vec![".modelctl/".to_owned()])
    );
    for files in [
        &["x", ".modelctl/notes"][..],
        &["x", ".modelctl"],
        &["x", ".ModelCtl/manifest.json"],
    ] {
        let folder = folder(files);
        let error = refusal(folder.path());
        assert!(
            error.contains("has the name of the folder that modelctl writes"),
            "{error}"
        );
        let exclude = selection(&[".modelctl", ".ModelCtl"], &[]);
        assert_eq!(walked(folder.path(), &exclude).0, ["x"]);
    }
}
