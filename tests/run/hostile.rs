//! Models that nobody should run: refused with the reason, before ONNX Runtime sees them where that
//! matters (security rows A50 to A56). `MODELCTL_TEST_ORT_LIB` names the library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use modelctl::ErrorKind;
use modelctl::run::{RecordOptions, RunError, record};
use tempfile::TempDir;

use crate::support::graphs::{addition, attribute, external, model, node, single, value};
use crate::support::models::{FLOAT, INT64, bytes, tensor};
use crate::support::runtime::{engine, run};

/// A folder `model` with a file `secret.bin` beside it that no model may read.
fn folder() -> (TempDir, PathBuf) {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("secret.bin"), [7; 8]).unwrap();
    let root = temp.path().join("model");
    fs::create_dir(&root).unwrap();
    (temp, root)
}

fn refusal(root: &Path, bytes: &[u8]) -> String {
    match run(root, bytes).unwrap_err() {
        // Refused by our own checks: ONNX Runtime has not seen the model.
        error @ RunError::Refused { .. } => error.to_string(),
        other => panic!("not refused before ONNX Runtime: {other}"),
    }
}

fn located(location: &str) -> Vec<u8> {
    model(&addition(&external(&[2], &[("location", location)])), "")
}

#[test]
#[ignore = "needs the onnxruntime library"]
fn a_model_with_sound_external_data_runs() {
    let (_temp, root) = folder();
    fs::write(root.join("w.bin"), [0; 8]).unwrap();
    run(&root, &located("w.bin")).unwrap();
}

/// A50: CVE-2022-25882, CVE-2024-27318, and a location that ONNX Runtime cuts at its NUL.
#[test]
#[ignore = "needs the onnxruntime library"]
fn external_data_that_escapes_the_folder_is_refused() {
    let (temp, root) = folder();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("w.bin"), [0; 8]).unwrap();
    let absolute = temp.path().join("secret.bin");
    for location in [
        "../secret.bin",
        "sub/../../secret.bin",
        "..\\secret.bin",
        absolute.to_str().unwrap(),
        "w.bin\0/../../secret.bin",
        "C:\\secret.bin",
        "",
        ".",
    ] {
        let text = refusal(&root, &located(location));
        assert!(
            text.starts_with("`model.onnx`: initializer `w`: location "),
            "{text}"
        );
    }
}

/// A50: CVE-2026-34446. ONNX Runtime 1.32 itself reads what a hard link leads to.
#[test]
#[ignore = "needs the onnxruntime library"]
fn external_data_behind_links_is_refused() {
    let (temp, root) = folder();
    let secret = temp.path().join("secret.bin");
    fs::hard_link(&secret, root.join("hard.bin")).unwrap();
    assert_eq!(
        refusal(&root, &located("hard.bin")),
        "`model.onnx`: initializer `w`: external data `hard.bin` is a hard link (2 names for one \
         file): replace it by a copy"
    );
    std::os::unix::fs::symlink(&secret, root.join("soft.bin")).unwrap();
    std::os::unix::fs::symlink(temp.path(), root.join("up")).unwrap();
    for location in ["soft.bin", "up/secret.bin"] {
        assert_eq!(
            refusal(&root, &located(location)),
            format!(
                "`model.onnx`: initializer `w`: external data `{location}` is a symbolic link or \
                 behind one: replace the link by the file"
            )
        );
    }
}

/// A51: a location that some releases of ONNX Runtime take for an address in memory.
#[test]
#[ignore = "needs the onnxruntime library"]
fn an_in_memory_marker_is_refused() {
    let (_temp, root) = folder();
    let text = refusal(&root, &located("*/_ORT_MEM_ADDR_/*"));
    assert!(
        text.starts_with("`model.onnx`: initializer `w`: location is an in-memory marker"),
        "{text}"
    );
}

/// A51: engines that were compiled elsewhere, and options for the session that runs the model.
#[test]
#[ignore = "needs the onnxruntime library"]
fn compiled_contexts_and_session_options_are_refused() {
    let (_temp, root) = folder();
    let engine = node(("com.microsoft", "EPContext"), &["x"], &["y"], &[]);
    assert_eq!(
        refusal(&root, &model(&single(&engine, &[]), "com.microsoft")),
        "`model.onnx`: operator `EPContext` of domain `com.microsoft` loads a compiled engine that \
         nothing here can check"
    );
    let entry = bytes(14, [bytes(1, "ort_config"), bytes(2, "{}")].concat());
    let sound = model(&addition(&tensor("w", FLOAT, &[2], &[0; 8])), "");
    assert_eq!(
        refusal(&root, &[sound, entry].concat()),
        "`model.onnx`: metadata entry `ort_config` would configure ONNX Runtime: remove it from \
         the model"
    );
}

/// A52: regions that are not in the file.
#[test]
#[ignore = "needs the onnxruntime library"]
fn regions_outside_the_file_are_refused() {
    let (_temp, root) = folder();
    fs::write(root.join("w.bin"), [0; 8]).unwrap();
    for (entry, reason) in [
        (("offset", "-1"), "offset of external data is `-1`"),
        (("offset", "abc"), "offset of external data is `abc`"),
        (
            ("offset", "4611686018427387904"),
            "bytes 4611686018427387904 to",
        ),
        (
            ("offset", "9223372036854775800"),
            "bytes 9223372036854775800 to",
        ),
        (("offset", "4"), "bytes 4 to 12 are beyond the 8 bytes"),
        (
            ("length", "9"),
            "expected 8 bytes by its type and shape, got 9",
        ),
        (("sha", "0"), "external data has the unknown key `sha`"),
    ] {
        let tensor = external(&[2], &[("location", "w.bin"), entry]);
        let text = refusal(&root, &model(&addition(&tensor), ""));
        let expected = format!("`model.onnx`: initializer `w`: {reason}");
        assert!(text.starts_with(&expected), "{text}");
    }
    let text = refusal(&root, &located("missing.bin"));
    assert!(
        text.ends_with("external data `missing.bin` does not exist"),
        "{text}"
    );
}

/// A53: what would block, or never end.
#[test]
#[ignore = "needs the onnxruntime library"]
fn external_data_that_is_no_file_is_refused() {
    let (_temp, root) = folder();
    let fifo = root.join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    fs::create_dir(root.join("folder")).unwrap();
    for location in ["fifo", "folder"] {
        let text = refusal(&root, &located(location));
        assert!(
            text.ends_with(&format!("`{location}` is not a regular file")),
            "{text}"
        );
    }
}

/// A53: the same for the model itself. A link to it is the packer's own affair.
#[test]
#[ignore = "needs the onnxruntime library"]
fn a_model_that_is_no_file_is_refused() {
    let (temp, root) = folder();
    let bytes = model(&addition(&tensor("w", FLOAT, &[2], &[0; 8])), "");
    let real = temp.path().join("real.onnx");
    fs::write(&real, bytes).unwrap();
    let run = |name: &str| {
        let target = TempDir::new().unwrap();
        let source = (&*root, &[name.parse().unwrap()][..]);
        record(engine(), source, &RecordOptions::default(), target.path()).map(drop)
    };
    std::os::unix::fs::symlink(&real, root.join("link.onnx")).unwrap();
    run("link.onnx").unwrap();
    let fifo = root.join("fifo.onnx");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(
        run("fifo.onnx").unwrap_err().to_string(),
        format!("`{}`: it is not a regular file", fifo.display())
    );
    assert_eq!(run("none.onnx").unwrap_err().kind(), ErrorKind::NotFound);
}

/// A54: shapes beyond any memory, inline and external.
#[test]
#[ignore = "needs the onnxruntime library"]
fn absurd_shapes_are_refused() {
    let (_temp, root) = folder();
    fs::write(root.join("w.bin"), [0; 8]).unwrap();
    let inline = tensor("w", FLOAT, &[1 << 40], &[0; 16]);
    let far = external(&[1 << 31, 1 << 20], &[("location", "w.bin")]);
    let negative = tensor("w", FLOAT, &[-4i64 as u64], &[0; 8]);
    for (initializer, reason) in [
        (
            inline,
            "expected 4398046511104 bytes by its type and shape, got 16",
        ),
        (
            far,
            "bytes 0 to 9007199254740992 are beyond the 8 bytes of external data `w.bin`",
        ),
        (negative, "dimension -4 is negative"),
    ] {
        assert_eq!(
            refusal(&root, &model(&addition(&initializer), "")),
            format!("`model.onnx`: initializer `w`: {reason}")
        );
    }
}

/// A56: a model that would need a library, with the library beside it.
#[test]
#[ignore = "needs the onnxruntime library"]
fn custom_operators_are_refused_and_their_library_is_not_loaded() {
    let (_temp, root) = folder();
    fs::write(root.join("custom_ops.so"), "\x7fELF").unwrap();
    let custom = node(("my.domain", "Exfiltrate"), &["x"], &["y"], &[]);
    let error = run(&root, &model(&single(&custom, &[]), "my.domain")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "`model.onnx`: operator `Exfiltrate` of domain `my.domain` is neither standard nor a \
         function of the model: libraries of custom operators are never loaded"
    );
}

/// A55: what is found where a model should be.
#[test]
#[ignore = "needs the onnxruntime library"]
fn what_is_not_a_model_is_named() {
    let (_temp, root) = folder();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
    let page = "<!DOCTYPE html><html><body>Redirecting...</body></html>";
    let whole = located("w.bin");
    for (bytes, part) in [
        (pointer.as_bytes(), "this is a Git LFS pointer"),
        (page.as_bytes(), "this is an HTML page"),
        (&[][..], "this is an empty file"),
        (&whole[..whole.len() / 2], "no valid ONNX at byte"),
        (&[0xff; 64][..], "no valid ONNX at byte"),
    ] {
        let text = refusal(&root, bytes);
        assert!(text.starts_with(&format!("`model.onnx`: {part}")), "{text}");
    }
}

/// A55: what only ONNX Runtime can judge comes back as its message, not as a crash.
#[test]
#[ignore = "needs the onnxruntime library"]
fn what_onnx_runtime_refuses_is_an_error_with_its_message() {
    let (_temp, root) = folder();
    let unknown = node(("", "NoSuchOperator"), &["x"], &["y"], &[]);
    let cyclic = [
        node(("", "Add"), &["x", "b"], &["a"], &[]),
        node(("", "Add"), &["x", "a"], &["b"], &[]),
        node(("", "Neg"), &["b"], &["y"], &[]),
    ];
    for (nodes, part) in [(unknown, "NoSuchOperator"), (cyclic.concat(), "")] {
        let error = run(&root, &model(&single(&nodes, &[]), "")).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, RunError::Runtime { .. }), "{text}");
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(
            text.starts_with("`model.onnx`: ONNX Runtime does not load it: "),
            "{text}"
        );
        assert!(text.contains(part), "{text}");
    }
}

/// A54: 2^40 floats asked for at run time.
#[test]
#[ignore = "needs the onnxruntime library"]
fn an_allocation_beyond_memory_is_an_error() {
    let (_temp, root) = folder();
    let huge = tensor("w", INT64, &[1], &(1u64 << 40).to_le_bytes());
    let fill = attribute("value", &bytes(5, tensor("", FLOAT, &[1], &[0; 4])), 4);
    let graph = [
        node(("", "ConstantOfShape"), &["w"], &["y"], &fill),
        bytes(2, "huge"),
        bytes(5, huge),
        bytes(12, value("y", FLOAT, &[None])),
    ];
    let error = run(&root, &model(&graph.concat(), "")).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, RunError::Runtime { .. }), "{text}");
    assert!(
        text.starts_with("`model.onnx`: ONNX Runtime does not "),
        "{text}"
    );
}
