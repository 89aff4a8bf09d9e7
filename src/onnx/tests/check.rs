//! What is checked before ONNX Runtime sees a model. Security rows A50 to A53 and A56; each
//! message in full.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::build::{Proto, attr, empty_tensor, graph_of, model_of, op, parsed, weights};
use crate::ErrorKind;
use crate::onnx::wire::field::{attribute, entry, function, model, node};
use crate::onnx::{DataType, check, external};

/// A model whose initializer `W` is 8 bytes at an offset of a file.
fn at(location: &str, offset: &str) -> Vec<u8> {
    let tensor = empty_tensor("W", DataType::FLOAT, &[2]);
    weights(&[tensor.external(&[("location", location), ("offset", offset)])])
}

fn objection(bytes: &[u8], root: &Path) -> String {
    let model = parsed(bytes);
    check(&model, root, "model.onnx").unwrap_err().to_string()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("w.bin"), [0; 16]).unwrap();
    fs::write(folder.path().join("sub/w.bin"), [0; 8]).unwrap();
    folder
}

#[test]
fn files_that_hold_the_tensors_are_accepted() {
    let folder = folder();
    for (bytes, path) in [
        (at("w.bin", "0"), "model.onnx"),
        (at("w.bin", "8"), "model.onnx"),
        (at("sub/w.bin", "0"), "model.onnx"),
        (at("./w.bin", "0"), "sub/model.onnx"),
    ] {
        check(&parsed(&bytes), folder.path(), path).unwrap();
    }
    let shared = ["A", "B", "C"]
        .map(|name| empty_tensor(name, DataType::FLOAT, &[4]).external(&[("location", "w.bin")]));
    check(&parsed(&weights(&shared)), folder.path(), "model.onnx").unwrap();
}

#[test]
fn a_root_behind_a_link_is_the_users_own() {
    let folder = folder();
    let link = folder.path().join("link");
    symlink(folder.path(), &link).unwrap();
    check(&parsed(&at("w.bin", "0")), &link, "model.onnx").unwrap();
}

#[test]
fn regions_beyond_the_file_are_refused() {
    let folder = folder();
    for (offset, message) in [
        (
            "9",
            "bytes 9 to 17 are beyond the 16 bytes of external data `w.bin`",
        ),
        (
            "4611686018427387904",
            "bytes 4611686018427387904 to 4611686018427387912 are beyond the 16 bytes of external data `w.bin`",
        ),
        (
            "9223372036854775800",
            "bytes 9223372036854775800 to 9223372036854775808 are beyond the 16 bytes of external data `w.bin`",
        ),
    ] {
        let expected = format!("initializer `W`: {message}");
        assert_eq!(objection(&at("w.bin", offset), folder.path()), expected);
    }
}

#[test]
fn files_that_are_not_plain_files_are_refused() {
    let folder = folder();
    let root = folder.path();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), [0; 64]).unwrap();
    symlink(root.join("w.bin"), root.join("link")).unwrap();
    symlink(outside.path(), root.join("folder-link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    fs::hard_link(outside.path().join("secret"), root.join("hard")).unwrap();
    let pipe = root.join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let link = "is a symbolic link or behind one: replace the link by the file";
    for (location, message) in [
        ("link", link),
        ("dangling", link),
        ("folder-link/secret", link),
        (
            "hard",
            "is a hard link (2 names for one file): replace it by a copy",
        ),
        ("sub", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("socket", "is not a regular file"),
        ("missing", "does not exist"),
        ("w.bin/x", "does not exist"),
    ] {
        let expected = format!("initializer `W`: external data `{location}` {message}");
        assert_eq!(objection(&at(location, "0"), root), expected);
    }
}

#[test]
fn opening_says_what_is_wrong() {
    let folder = folder();
    assert!(external::open(folder.path(), "sub/./w.bin").is_ok());
    let refused = external::open(folder.path(), "missing").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert_eq!(
        refused.to_string(),
        "external data `missing` does not exist"
    );
    for (path, message) in [
        (
            "../w.bin",
            "external data `../w.bin` is refused: its path has a `..` component",
        ),
        (
            "/etc/passwd",
            "external data `/etc/passwd` is refused: its path is absolute",
        ),
    ] {
        let refused = external::open(folder.path(), path).unwrap_err();
        assert_eq!(refused.to_string(), message);
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
    }
}

fn uses(domain: &str, operator: &str) -> Proto {
    let node = op(operator, "y").bytes(node::DOMAIN, domain);
    let inner = graph_of(&[node], &[]);
    let outer = op("If", "z").message(node::ATTRIBUTE, attr("then", attribute::G, inner));
    model_of(graph_of(&[outer], &[]))
}

#[test]
fn operators_that_need_foreign_code_are_refused() {
    let folder = folder();
    for (domain, operator, reason) in [
        (
            "com.example",
            "Fast",
            "is neither standard nor a function of the model: libraries of custom operators are never loaded",
        ),
        (
            "com.microsoft",
            "EPContext",
            "loads a compiled engine that nothing here can check",
        ),
        (
            "com.microsoft",
            "PythonOp",
            "runs Python code that is not part of the model",
        ),
    ] {
        let expected = format!("operator `{operator}` of domain `{domain}` {reason}");
        assert_eq!(
            objection(&uses(domain, operator).0, folder.path()),
            expected
        );
    }
    for domain in ["", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"] {
        let model = parsed(&uses(domain, "Fast").0);
        check(&model, folder.path(), "model.onnx").unwrap();
    }
}

#[test]
fn functions_of_the_model_are_no_foreign_code() {
    let folder = folder();
    let defined = Proto::new()
        .bytes(function::NAME, "Fast")
        .bytes(function::DOMAIN, "com.example");
    let with = |operator| uses("com.example", operator).message(model::FUNCTIONS, defined.clone());
    check(&parsed(&with("Fast").0), folder.path(), "model.onnx").unwrap();
    assert!(check(&parsed(&with("Faster").0), folder.path(), "model.onnx").is_err());
}

/// Security row A51.
#[test]
fn session_options_in_the_model_are_refused() {
    let folder = folder();
    for key in ["ort_config", "session.load_model_format"] {
        let entry = Proto::new()
            .bytes(entry::KEY, key)
            .bytes(entry::VALUE, "{}");
        let model = model_of(graph_of(&[], &[])).message(model::METADATA_PROPS, entry);
        let expected = format!(
            "metadata entry `{key}` would configure ONNX Runtime: remove it from the model"
        );
        assert_eq!(objection(&model.0, folder.path()), expected);
    }
}

/// Functions of `own` that each call the next one twice, and a graph that calls the first.
fn doubling(functions: usize) -> Vec<u8> {
    let call = |index: usize| op(&format!("F{index}"), "y").bytes(node::DOMAIN, "own");
    let main = model_of(graph_of(&[call(0)], &[]));
    let defined = |model: Proto, index: usize| {
        let function = Proto::new()
            .bytes(function::NAME, format!("F{index}"))
            .bytes(function::DOMAIN, "own");
        let body = match index + 1 == functions {
            true => function.message(function::NODE, op("Relu", "y")),
            false => function
                .message(function::NODE, call(index + 1))
                .message(function::NODE, call(index + 1)),
        };
        model.message(model::FUNCTIONS, body)
    };
    (0..functions).fold(main, defined).0
}

/// Security row A54: ONNX Runtime inlines functions before anything could stop it.
#[test]
fn functions_that_unfold_beyond_measure_are_refused() {
    let folder = folder();
    check(&parsed(&doubling(20)), folder.path(), "model.onnx").unwrap();
    assert_eq!(
        objection(&doubling(40), folder.path()),
        "the model has functions that unfold to over 4,194,304 nodes, which is beyond the limit"
    );
    let message =
        "the model has functions that call one another over 100 deep, which is beyond the limit";
    assert_eq!(objection(&doubling(102), folder.path()), message);
    let itself = Proto::new()
        .bytes(function::NAME, "Fast")
        .bytes(function::DOMAIN, "own")
        .message(function::NODE, op("Fast", "y").bytes(node::DOMAIN, "own"));
    let model = uses("own", "Fast").message(model::FUNCTIONS, itself);
    assert_eq!(objection(&model.0, folder.path()), message);
}
