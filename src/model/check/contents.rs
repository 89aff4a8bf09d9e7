//! Graphs, tensors and tests: each refers to what is there, and says the truth about it.

use std::collections::HashSet;

use super::{Rule, Violation};
use crate::model::{FilePath, ModelManifest, Role, TESTS_FOLDER, Tensor, Test};
use crate::onnx::DataType;

/// Checks graphs, tensors and tests.
pub(super) fn check(manifest: &ModelManifest) -> Result<(), Violation> {
    let files: HashSet<&FilePath> = manifest.files.iter().map(|file| &file.path).collect();
    let mut graphs = HashSet::new();
    for graph in &manifest.graphs {
        if !files.contains(&graph.path) || !graphs.insert(&graph.path) {
            let detail = format!("graph `{}` is not a file, or listed twice", graph.path);
            return Err(Violation::new(Rule::GraphFile, detail));
        }
    }
    for tensor in &manifest.tensors {
        if !files.contains(&tensor.graph) {
            let detail = format!("{} is in a file that does not exist", name(tensor));
            return Err(Violation::new(Rule::TensorGraph, detail));
        }
        check_tensor(manifest, tensor)?;
    }
    let mut cases = HashSet::new();
    for test in &manifest.tests {
        check_test(manifest, test)?;
        if !graphs.contains(&test.graph) {
            let detail = format!("test `{}` runs `{}`, not a graph", test.case, test.graph);
            return Err(Violation::new(Rule::TestGraph, detail));
        }
        if !cases.insert(test.case.as_str()) {
            let detail = format!("test `{}` is listed twice", test.case);
            return Err(Violation::new(Rule::TestCase, detail));
        }
    }
    check_test_files(manifest, &cases)
}

fn name(tensor: &Tensor) -> String {
    format!("tensor {:?} of `{}`", tensor.name, tensor.graph)
}

fn check_tensor(manifest: &ModelManifest, tensor: &Tensor) -> Result<(), Violation> {
    let layer = manifest.layers.get(tensor.layer as usize);
    let end = tensor.offset.checked_add(tensor.length);
    let Some(layer) = layer.filter(|layer| end.is_some_and(|end| end <= layer.size)) else {
        let detail = format!(
            "{} is {} bytes at {} of layer {}, which has not so many",
            name(tensor),
            tensor.length,
            tensor.offset,
            tensor.layer
        );
        return Err(Violation::new(Rule::TensorRange, detail));
    };
    let data_type = DataType::from_name(&tensor.dtype);
    let expected = data_type.and_then(|data_type| data_type.byte_length(&tensor.shape));
    if expected != Some(tensor.length) {
        let detail = format!(
            "{} has {} bytes, which is not {:?} of the shape {:?}",
            name(tensor),
            tensor.length,
            tensor.dtype,
            tensor.shape
        );
        return Err(Violation::new(Rule::TensorLength, detail));
    }
    if tensor.sha256.is_none() && tensor.length != layer.size {
        let detail = format!(
            "{} has no SHA-256 and is {} of the {} bytes of layer `{}`",
            name(tensor),
            tensor.length,
            layer.size,
            layer.path
        );
        return Err(Violation::new(Rule::TensorDigest, detail));
    }
    Ok(())
}

fn check_test(manifest: &ModelManifest, test: &Test) -> Result<(), Violation> {
    let plain = test.case.parse::<FilePath>();
    if !plain.is_ok_and(|path| path.parent().is_empty()) {
        let detail = format!("test {:?} is not a plain name", test.case);
        return Err(Violation::new(Rule::TestCase, detail));
    }
    if !(test.rtol >= 0.0 && test.atol >= 0.0) {
        let detail = format!(
            "test `{}` has rtol {} and atol {}",
            test.case, test.rtol, test.atol
        );
        return Err(Violation::new(Rule::TestTolerance, detail));
    }
    let mut files = manifest
        .files
        .iter()
        .filter_map(|file| case_file(&file.path));
    if !files.any(|(case, kind)| case == test.case && kind == "output") {
        let detail = format!(
            "test `{0}` has no outputs: expected `{TESTS_FOLDER}/{0}/output_0.pb`",
            test.case
        );
        return Err(Violation::new(Rule::TestFiles, detail));
    }
    Ok(())
}

fn check_test_files(manifest: &ModelManifest, cases: &HashSet<&str>) -> Result<(), Violation> {
    let mut tests = manifest.files.iter().filter(|file| file.role == Role::Test);
    let stray = tests.find(|file| {
        let case = case_file(&file.path).map(|(case, _)| case);
        case.is_none_or(|case| !cases.contains(case))
    });
    match stray {
        Some(file) => {
            let detail = format!("`{}` is not an input or output of a test", file.path);
            Err(Violation::new(Rule::TestFiles, detail))
        }
        None => Ok(()),
    }
}

/// The case and the kind of `.modelctl/tests/<case>/{input,output}_N.pb`.
fn case_file(path: &FilePath) -> Option<(&str, &str)> {
    let rest = path
        .as_str()
        .strip_prefix(TESTS_FOLDER)?
        .strip_prefix('/')?;
    let (case, file) = rest.split_once('/')?;
    let (kind, number) = file.strip_suffix(".pb")?.split_once('_')?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (numbered && matches!(kind, "input" | "output")).then_some((case, kind))
}
