//! ONNX Runtime for tests. `MODELCTL_TEST_ORT_LIB` names the library.

use std::fs;
use std::path::{Path, PathBuf};

use modelctl::run::{Engine, RecordOptions, RunError, record};
use tempfile::TempDir;

/// The one ONNX Runtime of this process.
pub(crate) fn engine() -> &'static Engine {
    let library = std::env::var_os("MODELCTL_TEST_ORT_LIB").expect("the path of the library");
    Engine::load(&PathBuf::from(library).canonicalize().unwrap()).unwrap()
}

/// What comes of running `model.onnx` in a folder.
pub(crate) fn run(root: &Path, bytes: &[u8]) -> Result<(), RunError> {
    fs::write(root.join("model.onnx"), bytes).unwrap();
    let target = TempDir::new().unwrap();
    let source = (root, &["model.onnx".parse().unwrap()][..]);
    record(engine(), source, &RecordOptions::default(), target.path()).map(drop)
}
