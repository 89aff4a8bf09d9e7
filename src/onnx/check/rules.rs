//! What a model may not use or say.

use std::path::Path;

use super::expansion::functions_unfold;
use super::files::check_external_data;
use crate::onnx::{Model, OnnxError};

/// Domains whose operators ONNX Runtime brings along.
const DOMAINS: [&str; 10] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.preview",
    "ai.onnx.preview.training",
    "ai.onnx.training",
    "com.microsoft",
    "com.microsoft.experimental",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
];

/// Operators that are not what they seem, in whatever domain.
const REFUSED: [(&str, &str); 5] = [
    (
        "EPContext",
        "loads a compiled engine that nothing here can check",
    ),
    ("PyOp", PYTHON),
    ("PyFunc", PYTHON),
    ("PythonOp", PYTHON),
    ("PythonOpGrad", PYTHON),
];
const PYTHON: &str = "runs Python code that is not part of the model";
const CUSTOM: &str = "is neither standard nor a function of the model: libraries of custom operators are never loaded";

/// Checks what must hold before ONNX Runtime sees a model: no operator that it would need foreign
/// code for, no session options in the model, no functions that unfold beyond measure, and external data in regular files below the
/// model's folder that are long enough.
///
/// `root` is the folder of the whole model, `graph_path` the path of the ONNX file in it.
///
/// # Errors
/// The first objection: [`OnnxError::Operator`], [`OnnxError::SessionConfig`],
/// [`OnnxError::Limit`] or [`OnnxError::Tensor`].
pub fn check(model: &Model, root: &Path, graph_path: &str) -> Result<(), OnnxError> {
    session_config(model)?;
    operators(model)?;
    functions_unfold(&model.calls)?;
    check_external_data(model, root, graph_path)
}

/// ONNX Runtime can take session options from `ort_config`, among them libraries to load.
fn session_config(model: &Model) -> Result<(), OnnxError> {
    let configures = |key: &&String| key.as_str() == "ort_config" || key.starts_with("session.");
    match model.metadata_keys.iter().find(configures) {
        Some(key) => Err(OnnxError::SessionConfig(key.clone())),
        None => Ok(()),
    }
}

fn operators(model: &Model) -> Result<(), OnnxError> {
    for key in model.operators.keys() {
        let (domain, operator) = key;
        let refused = REFUSED.iter().find(|(name, _)| name == operator);
        let known = DOMAINS.contains(&domain.as_str()) || model.functions.contains(key);
        let reason = match refused {
            Some((_, reason)) => reason,
            None if known => continue,
            None => CUSTOM,
        };
        return Err(OnnxError::Operator {
            operator: operator.clone(),
            domain: domain.clone(),
            reason,
        });
    }
    Ok(())
}
