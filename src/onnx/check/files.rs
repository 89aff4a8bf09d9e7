//! Whether the files that a model names hold its tensors.

use std::collections::BTreeMap;
use std::path::Path;

use crate::onnx::external::open_file;
use crate::onnx::{Content, FileFault, Model, OnnxError, TensorFault};

/// Checks the part of [`check()`](super::check()) that concerns files: what packing a model needs,
/// whoever may run it.
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
    let metadata = open_file(root, &path).and_then(|file| file.metadata().map_err(FileFault::Io));
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
