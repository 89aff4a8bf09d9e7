//! What must hold before ONNX Runtime sees a model: a model and its folder → nothing to object.
//!
//! ONNX Runtime checks much of it too, some of it only since 1.24, and says little about what it
//! found. What needs no file system, [`super::read`] has checked already.

use std::collections::BTreeMap;
use std::path::Path;

use super::external::open_file;
use super::fault::TensorFault;
use super::{Content, Model, OnnxError};

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
/// code for, no session options in the model, and external data in regular files below the
/// model's folder that are long enough.
///
/// `root` is the folder of the whole model, `graph_path` the path of the ONNX file in it.
///
/// # Errors
/// The first objection: [`OnnxError::Operator`], [`OnnxError::SessionConfig`] or
/// [`OnnxError::Tensor`].
pub fn check(model: &Model, root: &Path, graph_path: &str) -> Result<(), OnnxError> {
    session_config(model)?;
    operators(model)?;
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

/// Checks the part of it that concerns files: what packing a model needs, whoever may run it.
///
/// # Errors
/// The first objection: [`OnnxError::Tensor`].
pub fn check_external_data(model: &Model, root: &Path, graph_path: &str) -> Result<(), OnnxError> {
    let folder = graph_path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut sizes = BTreeMap::new();
    for (index, tensor) in model.tensors.iter().enumerate() {
        let Content::External {
            location,
            offset,
            length,
        } = &tensor.content
        else {
            continue;
        };
        let path = match folder {
            "" => location.clone(),
            folder => format!("{folder}/{location}"),
        };
        let fault = match size_of_file(root, path, &mut sizes) {
            Ok(size) => beyond(location, *offset, *length, size),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            return Err(OnnxError::Tensor {
                tensor: model.label(index),
                fault,
            });
        }
    }
    Ok(())
}

fn beyond(location: &str, offset: u64, length: u64, size: u64) -> Option<TensorFault> {
    let end = offset.checked_add(length);
    if end.is_some_and(|end| end <= size) {
        return None;
    }
    Some(TensorFault::Beyond {
        location: location.to_owned(),
        offset,
        end: end.unwrap_or(u64::MAX),
        size,
    })
}

/// The size of a file in bytes, which is opened only the first time.
fn size_of_file(
    root: &Path,
    path: String,
    sizes: &mut BTreeMap<String, u64>,
) -> Result<u64, TensorFault> {
    if let Some(size) = sizes.get(&path) {
        return Ok(*size);
    }
    let metadata =
        open_file(root, &path).and_then(|file| file.metadata().map_err(super::FileFault::Io));
    match metadata {
        Ok(metadata) => {
            sizes.insert(path, metadata.len());
            Ok(metadata.len())
        }
        Err(fault) => Err(TensorFault::File {
            location: path,
            fault,
        }),
    }
}
