//! What is not packed: unsafe external data, files that are not what they say, too much, nothing.

use std::fs;
use std::os::unix::fs::symlink;

use modelctl::ErrorKind;
use modelctl::pack::{self, PackOptions};
use modelctl::plan::{self, PlanOptions, TestSet};
use modelctl::store::{Memory, Storage as _};

use crate::support::models::{external_sum, floats, inline_sum};
use crate::support::plans::{self, chain, refusal, write};

/// Security rows A50 and A52: what a loader would refuse, or be fooled by, is not packed.
#[test]
fn unsafe_external_data_is_refused_by_name() {
    let cases = [
        (
            "../secret",
            "m.onnx`: initializer `w`: location has a `..` component",
        ),
        (
            "/etc/passwd",
            "m.onnx`: initializer `w`: location is absolute",
        ),
        (
            "missing.bin",
            "names the external data `missing.bin`, which is missing or left out",
        ),
        ("short.bin", "m.onnx`: initializer `w`: "),
        ("hard.bin", "m.onnx`: initializer `w`: "),
    ];
    for (location, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let model = external_sum(location, &[("w", 1000, 0)]);
        write(
            folder.path(),
            &[
                ("m/m.onnx", model),
                ("secret", floats(1, 1000)),
                ("m/short.bin", vec![0; 3999]),
            ],
        );
        fs::hard_link(
            folder.path().join("secret"),
            folder.path().join("m/hard.bin"),
        )
        .unwrap();
        let error = refusal(&folder.path().join("m"));
        assert!(error.contains(expected), "{location}: {error}");
        let error = refusal(&folder.path().join("m/m.onnx"));
        assert!(
            location == "missing.bin" || error.contains(expected),
            "{location}: {error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let model = external_sum("link.bin", &[("w", 1000, 0)]);
    write(
        folder.path(),
        &[("m.onnx", model), ("w.bin", floats(1, 1000))],
    );
    symlink("w.bin", folder.path().join("link.bin")).unwrap();
    for path in [folder.path().to_owned(), folder.path().join("m.onnx")] {
        assert!(refusal(&path).contains("`link.bin` is a symbolic link to `w.bin`"));
    }
}

/// Security row A55: the text says what the file is.
#[test]
fn onnx_file_that_is_none_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
    write(folder.path(), &[("m.onnx", pointer.into()), ("x", vec![1])]);
    let error = refusal(folder.path());
    assert!(
        error.contains("`m.onnx`: this is a Git LFS pointer"),
        "{error}"
    );
    assert!(error.contains("--exclude '/m.onnx'"), "{error}");
}

#[test]
fn file_that_changes_after_the_plan_is_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("m.onnx", inline_sum(&[("w", 262_144, 1)]))],
    );
    let plan = plans::plan(folder.path());
    write(
        folder.path(),
        &[("m.onnx", inline_sum(&[("w", 262_144, 2)]))],
    );
    let store = Memory::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = PackOptions::default();
    let stored = runtime.block_on(pack::store(&plan, &store, &options));
    let error = chain(&stored.unwrap_err());
    assert!(
        error.contains("m.onnx`: changed while it was being packed"),
        "{error}"
    );
    let manifest = plan.manifest.descriptor();
    assert!(!runtime.block_on(store.exists(&manifest)).unwrap());
}

#[test]
fn manifest_beyond_3_mib_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let name = "x".repeat(200);
    for n in 0..5000 {
        std::fs::write(folder.path().join(format!("{n}{name}.pt")), [1]).unwrap();
    }
    let error = refusal(folder.path());
    assert!(error.starts_with("manifest of 3"), "{error}");
    assert!(
        error.contains("pack the folder in parts, or leave files out with --exclude"),
        "{error}"
    );
}

#[test]
fn nothing_to_pack_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path()).ends_with("has no files to pack"));
    assert!(refusal(&folder.path().join("missing")).starts_with("cannot read"));
}

#[test]
fn date_beyond_the_year_9999_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("x", vec![1])]);
    let options = PlanOptions {
        created: Some(253_402_300_800),
        ..PlanOptions::default()
    };
    let error = plan::build(folder.path(), &options).unwrap_err();
    assert!(
        error.to_string().ends_with("is beyond the year 9999"),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn test_data_that_is_no_tensor_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = vec![0xff; 20];
    let files = [
        ("m/m.onnx", inline_sum(&[("w", 10, 1)])),
        ("t/case/input_0.pb", garbage.clone()),
        ("t/case/output_0.pb", garbage),
    ];
    write(folder.path(), &files);
    let options = PlanOptions {
        tests: vec![TestSet::new(folder.path().join("t"), None)],
        ..PlanOptions::default()
    };
    let error = plan::build(&folder.path().join("m"), &options).unwrap_err();
    assert!(error.to_string().contains("`case/input_0.pb`: "), "{error}");
}
